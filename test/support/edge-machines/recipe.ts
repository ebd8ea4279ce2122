/** What a fresh machine can be: Debian 13 (systemd 257, podman 5.4) or 12 (systemd 252, podman 4.3 without Quadlet). */
export type Suite = 'trixie' | 'bookworm';

/** What a freshly installed machine is made of; nothing of fleetbot is in it. */
export const recipeOf = (suite: Suite) => ({
  suite,
  ...parts,
  files: suite === 'trixie' ? parts.files : { ...parts.files, ...filesForPodman4 },
});

/**
 * Podman 4.3 only stays in the unit that runs it where the user owns its cgroups, and asks this of every hierarchy that
 * /proc/self/cgroup shows: on this computer that may be those of version 1, whose roots it takes for that of version 2.
 */
const filesForPodman4 = {
  '/etc/tmpfiles.d/edge-machine.conf': 'z /sys/fs/cgroup - 1000 - -\n',
};

const parts = {
  sizeMiB: 6_144,
  packages: [
    ...['systemd', 'systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd', 'openssh-server'],
    ...['podman', 'crun', 'catatonit', 'netavark', 'aardvark-dns', 'passt', 'uidmap'],
    ...['python3', 'openssl', 'ca-certificates', 'iproute2', 'iputils-ping', 'procps', 'e2fsprogs'],
    // For a test that sets a machine's clock wrong.
    'libfaketime',
  ],
  /** Text of files. */
  files: {
    // Without localhost, buildah hangs on DNS.
    '/etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
    '/etc/resolv.conf': '',
    // In a container, no pids controller is at hand and /proc/sys is read-only.
    '/etc/containers/containers.conf': '[containers]\npids_limit = 0\ndefault_sysctls = []\n',
    // As real machines do, and containers do not: see `EdgeMachine.kernelSays`.
    '/etc/systemd/journald.conf.d/edge-machine.conf': '[Journal]\nStorage=persistent\nReadKMsg=yes\n',
  },
  /** Units that have nothing to do in a container, or would make machines differ from one test to the next. */
  masked: [
    ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'fstrim.timer'],
    ...['e2scrub_all.timer', 'e2scrub_reap.service', 'console-getty.service', 'systemd-firstboot.service'],
    ...['podman.service', 'podman.socket', 'podman-auto-update.timer', 'podman-restart.service'],
    ...['podman-clean-transient.service', 'netavark-dhcp-proxy.socket', 'systemd-networkd.service'],
  ],
  /** Links of systemd: name → target. */
  links: {
    '/etc/systemd/system/default.target': '/usr/lib/systemd/system/multi-user.target',
  },
} as const;
