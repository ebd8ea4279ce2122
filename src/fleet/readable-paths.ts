/**
 * Which files and folders the agent's commands may be given. A path counts as the machine resolved it, without
 * symbolic links; in a pattern `*` stands for any characters, `/` too.
 */

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** What may be read where the fleet file says nothing else: logs, and what describes the machine and its state. */
export const readablePaths: readonly string[] = list(`
  /var/log /var/log/*
  /etc/os-release /usr/lib/os-release /etc/*-release /etc/debian_version /etc/machine-info /etc/hostname
  /etc/hosts /etc/resolv.conf /run/systemd/resolve/*.conf /etc/nsswitch.conf /etc/chrony.conf /etc/chrony/chrony.conf
  /etc/logrotate.conf /etc/logrotate.d /etc/logrotate.d/* /etc/systemd/system.conf /etc/systemd/journald.conf
  /etc/systemd/logind.conf /etc/systemd/resolved.conf /etc/systemd/timesyncd.conf /etc/systemd/coredump.conf
  /etc/security/limits.conf /etc/security/limits.d/* /etc/sysctl.conf /etc/sysctl.d/*
  /etc/pki/tls/certs /etc/pki/tls/certs/* /etc/ssl/certs /etc/ssl/certs/*
  /proc/cpuinfo /proc/diskstats /proc/interrupts /proc/loadavg /proc/mdstat /proc/meminfo /proc/modules
  /proc/partitions /proc/pressure/* /proc/softirqs /proc/stat /proc/swaps /proc/sys/* /proc/uptime /proc/version
  /proc/vmstat /proc/*/status /proc/*/limits /proc/*/oom_score /proc/*/wchan
  /sys/fs/cgroup /sys/fs/cgroup/*
`);

const keys = list(`
  *.key *.key.* *key.pem *privkey* */private */private/* *.p12 *.pfx *.jks *.keystore *.kdbx *.keytab *.ppk
  *.gpg *.asc *.age */.gnupg* */chrony.keys */.ssh */.ssh/* /etc/ssh /etc/ssh/* *ssh_host_* *id_rsa* *id_dsa*
  *id_ecdsa* *id_ed25519* *authorized_keys* /etc/wireguard* /etc/openvpn* /etc/ipsec* /etc/letsencrypt*
`);

const passwords = list(`
  /etc/shadow* /etc/gshadow* /etc/passwd- /etc/security/opasswd* /etc/sudoers* *htpasswd* *password* *passphrase*
  *secret* *credential* */credstore* /etc/krb5* *krb5cc* /etc/NetworkManager/system-connections* *wpa_supplicant*
  /etc/ppp* /etc/fstab* /etc/crypttab* *.my.cnf *.pgpass *.netrc *.git-credentials *.npmrc *.pypirc /var/log/btmp*
`);

const tokens = list(`
  *token* *.env *.env.* */.env* */.docker* */.kube* *kubeconfig* */.aws* */.azure* */.config/* */auth.json */.vault*
  */cookies* /run/user* /run/containers* /run/fleetbot* /var/lib/fleetbot* */containers/storage*
  /var/lib/kubelet* /etc/kubernetes* /etc/rancher*
`);

const typedByPeople = list('*/.*history* *_history */.lesshst */.viminfo');

/**
 * Environments, command lines and memory of processes, also as journal and audit keep them; what their descriptors
 * and folders lead to; the kernel's.
 */
const processesAndKernel = list(`
  */environ */cmdline /proc/*/fd* /proc/*/root* /proc/*/cwd* /proc/*/exe /proc/*/mem /proc/*/maps /proc/*/smaps*
  /proc/*/numa_maps /proc/*/map_files* /proc/*/pagemap /proc/*/stack /proc/*/syscall /proc/kcore /proc/kmsg
  /proc/keys /proc/key-users /proc/kallsyms /proc/sysrq-trigger /dev /dev/* /sys/kernel/* /sys/firmware/*
  */coredump/* *.core */crash/* *.journal *.journal~ /var/log/audit*
`);

/** What is never read, whatever the fleet file lists; upper and lower case are alike here. */
export const secretPaths: readonly string[] = [
  ...keys,
  ...passwords,
  ...tokens,
  ...typedByPeople,
  ...processesAndKernel,
];
