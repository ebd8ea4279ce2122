import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { edgePolicy } from '../../src/fleet/edge-policy.ts';
import { readablePaths, secretPaths } from '../../src/fleet/readable-paths.ts';
import { admits, mayRead } from '../support/admits.ts';
import { machineWith } from './fixtures.ts';

const wordSchema = z.object({
  match: z.string(),
  min: z.int(),
  max: z.int(),
  path: z.literal(true).optional(),
});
const policySchema = z.object({
  agent: z.object({
    commands: z.array(z.object({ pattern: z.string(), words: z.array(wordSchema) })),
    readable: z.array(z.string()),
    secret: z.array(z.string()),
  }),
});

const { agent } = policySchema.parse(JSON.parse(edgePolicy(machineWith(), new Map())));

/** The pattern that lists the command on a machine of which the fleet file says nothing; undefined for none. */
function listedBy(argv: readonly string[]): string | undefined {
  return agent.commands.find(({ words }) => admits(words, argv, agent))?.pattern;
}

/** Words in `'…'` may hold blanks. */
function split(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const harmless = `
  df -h
  df -hT /var/log
  df -i
  du -xh -d 2 /var
  du -sh /var/log
  du -xh --max-depth=1 --threshold=100M /var/lib
  find /var -xdev -type f -size +100M -ls
  lsblk -f
  findmnt -D
  free -h
  uptime
  ps -eo pid,ppid,user,stat,pcpu,pmem,rss,vsz,etime,unit,comm --sort=-rss
  top -b -n 1 -o %MEM
  vmstat 1 5
  systemctl status
  systemctl status nginx.service --no-pager
  systemctl status nginx.service -n 30 --no-pager
  systemctl status -n 50 nginx
  systemctl --failed
  systemctl list-units --state=failed --no-legend
  systemctl is-active nginx sshd.service
  systemctl show nginx -p ActiveState
  systemctl show --property=MemoryCurrent nginx
  journalctl -u nginx -n 100 --no-pager
  journalctl -u nginx --since '1 hour ago' --no-pager
  journalctl -p err -b --no-pager -n 50
  journalctl --no-pager -k -n 20
  journalctl -xeu nginx.service
  journalctl --since '2026-11-22 17:00' --until now -oshort-iso
  journalctl --disk-usage
  journalctl -b -1 -p warning
  journalctl -p err -u nginx --since '10 minutes ago' --until now -n 100 --no-pager -oshort-iso
  cat /var/log/messages
  cat /proc/meminfo
  cat /proc/pressure/memory
  head -n 20 /var/log/dnf.log
  tail -n 200 /var/log/nginx/error.log
  tail -50 /var/log/syslog
  grep -i error /var/log/messages
  zcat /var/log/syslog.2.gz
  ls -lah /var/log
  stat /var/log/wtmp
  rpm -qa --last
  rpm -qi openssh-server
  dpkg -l linux-image-amd64
  apt list --upgradable
  dnf --cacheonly check-update
  timedatectl
  chronyc -n sources -v
  ss -tlnp
  ss -tn state established
  ip -br addr
  ip -s link show dev eth0
  ip route get 192.0.2.1
  uname -a
  hostnamectl
  sysctl vm.swappiness
  last -n 20
  openssl x509 -in /etc/pki/tls/certs/web.crt -noout -dates -subject
`;

test.each(lines(harmless))('the agent may run: %s', (line) => {
  expect(listedBy(split(line))).toBeDefined();
});

describe.each([
  [
    'writes, ends or changes something',
    `
    ss -D /tmp/dump
    ss -K dst 192.0.2.1
    sysctl kernel.panic=1
    sysctl -w vm.swappiness=1
    date -s 12:00
    date 112217002026
    hostnamectl hostname x
    hostnamectl set-hostname x
    timedatectl set-ntp false
    chronyc makestep
    chronyc shutdown
    systemctl restart nginx
    systemctl stop nginx
    systemctl --now disable nginx
    systemctl kill nginx
    systemctl daemon-reload
    journalctl --vacuum-size=1M
    journalctl --rotate
    journalctl --flush
    journalctl --setup-keys
    ip link set eth0 down
    ip addr flush dev eth0
    ip addr flush
    ip route add default
    ip netns exec x df
    ethtool -s eth0 speed 10
    nmcli connection down eth0
    nmcli device disconnect eth0
    resolvectl flush-caches
    swapon /dev/sda2
    dmesg -C
    apt-get upgrade
    apt install x
    dnf -C install x
    dnf install --cacheonly x
    dnf upgrade
    rpm -e bash
    rpm -i x
    dpkg -r bash
    find /var -xdev -type f -delete
    find /var -xdev -type f -size +1M -delete
    openssl x509 -in /etc/pki/tls/certs/a.crt -noout -out /tmp/x
    top -b -n 1 -o W
    last -f /var/log/wtmp
    tee /tmp/x
    cp /var/log/messages /tmp/x
  `,
  ],
  [
    'executes something',
    `
    sh -c id
    bash
    env df
    python3 -c 1
    find /var -xdev -type f -exec id ;
    find /var -xdev -type f -size +1M -exec id ;
    pidstat -e id
    rpm -V bash
    rpm -q --eval %(id)
    rpm --eval %(id)
    rpm -q --pipe id bash
    journalctl --pager=id
    systemctl edit nginx
    man df
    less /var/log/messages
    dpkg --pre-invoke=id -l
    apt -o APT::Update::Pre-Invoke::=id list --installed
    apt list --installed -c /tmp/x
    awk BEGIN{system("id")} /var/log/messages
    sed -n e /var/log/messages
    openssl x509 -in /etc/pki/tls/certs/a.crt -noout -engine x
    coredumpctl debug
    coredumpctl gdb
    watch df
    timeout 5 df
    sudo df
  `,
  ],
  [
    'takes what to do, or what to show, from another place',
    `
    ip -b /tmp/x
    ip -batch /tmp/x
    ip -n x addr
    du --files0-from=/etc/shadow
    du --exclude-from=/etc/shadow /var
    du /etc
    du /home
    du -L /var
    wc --files0-from=/etc/shadow
    wc -l --files0-from=/etc/shadow
    grep -f /etc/shadow /var/log/messages
    grep -r root /var/log
    grep root /etc/passwd
    journalctl -D /tmp
    journalctl --directory=/tmp
    journalctl --file=/etc/shadow
    journalctl --root=/tmp
    journalctl --cursor-file=/tmp/x
    journalctl -M x
    journalctl /usr/sbin/sshd
    journalctl _PID=1
    journalctl + _PID=1
    journalctl -u nginx -D /tmp
    journalctl -u nginx -c x
    journalctl -u nginx -i x
    systemctl --root=/tmp status
    systemctl -H host status
    systemctl status -M x
    systemctl --image=/x status
    timedatectl -H host status
    hostnamectl -H host
    lsblk --sysroot /tmp
    lscpu -s /tmp
    findmnt -F /etc/shadow
    findmnt -s
    rpm -qp /tmp/x.rpm
    rpm -qf /etc/shadow
    rpm -q --root=/tmp bash
    rpm -q http://192.0.2.1/x
    stat -c %n /var/log/wtmp
    stat -L /var/log/wtmp
    ls -R /var/log
    ls -L /var/log
    ls
    cat
    cat messages
    cat -
    cat /var/log/a /var/log/b
    head --lines=5 /var/log/messages
    date -r /etc/shadow
    date -f /etc/shadow
    openssl x509 -in file:/etc/shadow -noout -text
    openssl x509 -in http://192.0.2.1/ -noout -text
    openssl x509 -in /etc/pki/tls/certs/a.crt -text
    openssl rsa -in /etc/pki/tls/certs/a.crt
  `,
  ],
  [
    'carries words out of the machine',
    `
    getent hosts secret.example.com
    getent ahosts secret.example.com
    resolvectl query secret.example.com
    ss -r
    ping -c 1 192.0.2.1
    curl http://192.0.2.1/
    dig secret.example.com
    chronyc -h 192.0.2.1 tracking
    dnf repolist
    dnf --cacheonly --setopt=x list
    ip addr show eth0 /x
    lspci -Q
  `,
  ],
  [
    'shows environments or command lines',
    `
    ps e
    ps aux
    ps auxe
    ps -ef
    ps -eo pid,args
    ps -eo pid,cmd
    ps -eo pid,environ
    ps -p 1 -o args
    ps -p 1 -o environ
    top -b -n 1 -c
    top -c -b -n 1
    systemctl show nginx
    systemctl show
    systemctl show nginx Id
    systemctl show --property=Environment nginx
    systemctl show --property=ExecStart nginx
    systemctl show --value nginx
    systemctl show -p Id -p Environment nginx
    systemctl show-environment
    systemctl cat nginx
    journalctl -o verbose
    journalctl -o json
    journalctl -u nginx -ojson
    journalctl -n 5 -o verbose
    journalctl -F COREDUMP_ENVIRON
    journalctl -o export
    journalctl --output=json
    journalctl --output-fields=COREDUMP_ENVIRON
    coredumpctl info
    coredumpctl dump
    w
    pidstat -l
    lsof
    getent shadow root
    nmcli connection show eth0 --show-secrets
    iostat -f /x
  `,
  ],
  [
    'goes on until it is ended',
    `
    journalctl -f
    journalctl --follow
    tail -f /var/log/messages
    tail -F /var/log/messages
    free -s 1
    vmstat 1
    top -b
    dmesg -w
    chronyc waitsync
    ip monitor
    ss -E
    findmnt -p
  `,
  ],
])('what %s is not listed:', (_what, commands) => {
  test.each(lines(commands))('%s', (line) => {
    expect(listedBy(split(line))).toBeUndefined();
  });
});

test.each(
  lines(`
    /etc/shadow
    /etc/shadow-
    /etc/passwd
    /etc/fstab
    /etc/ssh/ssh_host_ed25519_key
    /etc/pki/tls/private/web.key
    /etc/pki/tls/certs/web.key
    /etc/ssl/private/web.pem
    /etc/ssl/certs/PRIVKEY.pem
    /etc/letsencrypt/archive/a/privkey1.pem
    /root/.bash_history
    /home/alice/.ssh/id_ed25519
    /home/alice/notes
    /var/log/.env
    /var/log/app/.env.production
    /var/log/app/prod.env
    /var/log/app/Token.txt
    /var/log/app/client_secret.json
    /var/log/btmp
    /var/log/private/app.log
    /proc/1/environ
    /proc/self/environ
    /proc/1/task/1/environ
    /proc/1/cmdline
    /proc/cmdline
    /proc/1/root/etc/shadow
    /proc/1/fd/3
    /proc/1/mem
    /proc/kcore
    /proc/1/root/proc/1/status
    /dev/sda
    /run/secrets/a
    /run/user/1000/containers/auth.json
    /run/fleetbot/activation.json
    /var/lib/containers/storage/secrets/secretsdata.json
    /home/openclaw/.local/share/containers/storage/secrets/filedriver/secretsdata.json
    /etc/systemd/system/app.service
    /etc/systemd/system/app.service.d/environment.conf
    /var/log/journal/0123/system.journal
    /var/log/journal/0123/user-1000@0006.journal~
    /var/log/audit/audit.log
  `),
)('the agent may not read %s', (path) => {
  expect(mayRead(agent, path)).toBe(false);
  expect(listedBy(['cat', path])).toBeUndefined();
});

test('a secret stays one, whatever the fleet file lists', () => {
  const own = machineWith('    agent: { commands: ["cat {path}"], readPaths: [/etc/*, /home/*] }\n');
  const { agent: wide } = policySchema.parse(JSON.parse(edgePolicy(own, new Map())));
  expect(wide.readable).toEqual(['/etc/*', '/home/*']);
  for (const path of ['/etc/shadow', '/etc/ssh/sshd_config', '/home/a/.bash_history', '/home/a/.ENV']) {
    expect(mayRead(wide, path)).toBe(false);
  }
  expect(mayRead(wide, '/etc/hosts')).toBe(true);
});

test('no file that may be read by default is meant to be a secret', () => {
  const plain = readablePaths.filter((path) => !path.includes('*'));
  expect(plain.filter((path) => !mayRead({ readable: readablePaths, secret: secretPaths }, path))).toEqual(
    [],
  );
});

describe('whatever listed command is bent', () => {
  const lists = lines(harmless).map(split);
  const listed = fc.constantFrom(...lists);
  const hostile = fc.oneof(
    fc.constantFrom('/etc/shadow', '/proc/1/environ', '/root/.ssh/id_rsa', '/home/a/.env', '../etc/shadow'),
    fc.constantFrom(
      '--root=/',
      '--file=/etc/shadow',
      '-f/etc/shadow',
      '--files0-from=-',
      '-H',
      '--help',
      '-',
    ),
    fc.string().map((text) => `-${text}`),
    fc.string().map((text) => `--${text}`),
    fc.string().map((text) => `${text}/../etc/shadow`),
  );
  /** Options that stand in a pattern as they are, or letters that it lists. */
  const known = new Set(lists.flat());

  test('no path but a readable one gets in', () => {
    fc.assert(
      fc.property(listed, fc.nat(), hostile, fc.boolean(), (argv, at, value, isAdded) => {
        const bent = argv.toSpliced(1 + (at % argv.length), isAdded ? 0 : 1, value);
        const isRefused = listedBy(bent) === undefined;
        return isRefused || known.has(value) || !/\//.test(value);
      }),
      { numRuns: 2_000 },
    );
  });

  test('no option with a value of its own gets in', () => {
    fc.assert(
      fc.property(listed, fc.nat(), fc.string({ minLength: 1 }), (argv, at, text) => {
        const bent = argv.toSpliced(1 + (at % argv.length), 0, `--zz${text}`);
        return listedBy(bent) === undefined;
      }),
      { numRuns: 1_000 },
    );
  });
});
