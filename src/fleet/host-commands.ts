/**
 * The commands that an agent may run on its machine where the fleet file says nothing else. All of them only read,
 * run as a user without rights, and answer at once. A pattern belongs here only if no value that it admits can
 *
 * - write, execute, or send (`ss -D FILE`, `ss -K`, `sysctl a=b`, `date -s`, `hostnamectl hostname`, `pidstat -e`),
 * - take what to do from a file (`ip -b`, `du --files0-from`, `grep -f`, `lsblk --sysroot`),
 * - read a file that is no `{path}` (`journalctl -D`, `--file`, `--cursor-file`; `rpm -p`; `last -f`; `sar -f`),
 * - reach another machine or ask a name server, which would carry words out (`systemctl -H`, `getent hosts`, `ss -r`),
 * - show environments or command lines of processes where it can be helped, since both hold passwords (`ps e`,
 *   `ps -f`, `journalctl -o verbose` with the environments of core dumps, `systemctl show` without `--property`;
 *   `systemctl status` shows command lines and is worth it: they are redacted),
 * - go on until it is ended (`journalctl -f`, `tail -f`, `chronyc waitsync`).
 *
 * A value must not stand where the program reads a verb or an operand of another kind either: `ip link {show?}
 * {name?}` would list `ip link set`, and `systemctl show {unit} {-p?} …` a property as one more unit, shown whole.
 */

/** One of these words. */
const anyOf = (text: string, sign = ''): string => `{${text.trim().split(/\s+/).join('|')}${sign}}`;

/** File systems are searched from here, which names what is large and shows nothing of what is in it. */
const places = anyOf(`
  /var /var/lib /var/log /var/cache /var/spool /var/tmp /tmp /opt /srv /usr /boot
`);

/**
 * journalctl's options and their values in any order. A value that belongs to no option is refused by journalctl
 * itself: it takes only `FIELD=value` and paths, and no kind here holds `=` or `/`. So no option is listed whose value
 * must be chosen (`-o`) without that value.
 */
const journalWords = anyOf(
  `
  -u -t -n -p -S -U -g --unit --identifier --lines --priority --since --until --grep {unit} {time}
  -n{number} -p{name} -o{short|short-iso|short-precise|short-monotonic|cat}
  --unit={unit} --identifier={name} --lines={number} --priority={name} --grep={name} --since={time} --until={time}
  --output={short|short-iso|short-precise|short-monotonic|cat}
  -k -r -x -e -q -b -b-1 -1 -xe -xu -eu -xeu --dmesg --reverse --catalog --pager-end --quiet --boot --boot=-1
  --list-boots --disk-usage --no-pager --no-hostname --no-full --utc
`,
  '*',
);

/** Of a unit's properties those that hold neither its environment nor its command line. */
const unitProperties = anyOf(`
  Id Names Description LoadState ActiveState SubState UnitFileState Result NRestarts Restart MainPID
  ExecMainCode ExecMainStatus ExecMainStartTimestamp ExecMainExitTimestamp ActiveEnterTimestamp
  InactiveEnterTimestamp MemoryCurrent MemoryPeak MemoryMax TasksCurrent TasksMax CPUUsageNSec FragmentPath
  DropInPaths Requires Wants After Triggers TriggeredBy LastTriggerUSec NextElapseUSecRealtime User Slice
  ControlGroup LimitNOFILE
`);

const listOptions = anyOf(
  '-a -l --all --failed --full --plain --no-pager --no-legend --state={name} --type={name}',
  '*',
);

const processColumns = anyOf(`
  pid,ppid,user,stat,pcpu,pmem,rss,vsz,etime,unit,comm pid,user,pcpu,pmem,comm pid,user,pcpu,pmem,rss,comm
  pid,user,stat,wchan:32,comm pid,comm
`);
const processOrder = '{--sort=-{rss|vsz|pcpu|pmem|%cpu|%mem|etime}?}';

const sockets = '{flags:046aeHilmnoOpstuwx*}';

/** Not `-b`, which ip takes for `-batch FILE`. */
const ipOptions = '{-4|-6|-s|-d|-o|-j|-br|-brief*}';

const certificateOptions = anyOf(
  '-noout -text -dates -enddate -startdate -subject -issuer -serial -fingerprint -checkend',
  '*',
);

/** Patterns of `command-pattern.ts`. */
export const hostCommands: readonly string[] = [
  // File systems
  'df {flags:ahHiklPT*} {path?}',
  'lsblk {flags:abdfilmnpPrsStzJ*}',
  'findmnt {flags:aADJlnPru*}',
  `du {flags:achkmsSx*} ${places}`,
  `du {flags:achkmsSx*} -d {1|2|3|4|5} ${places}`,
  `du {flags:achkmsSx*} --max-depth={1|2|3|4|5} {--threshold={number}{K|M|G}?} ${places}`,
  'du {flags:hkmx*} -d {0|1} /',
  `find ${places} -xdev -type f -size +{number}{k|M|G} {-ls?}`,
  `find ${places} -xdev -type f -mtime -{number} -size +{number}{k|M|G} {-ls?}`,

  // Files that may be read
  'cat {path}',
  'head {path}',
  'head -n {number} {path}',
  'head -{number} {path}',
  'tail {path}',
  'tail -n {number} {path}',
  'tail -{number} {path}',
  'zcat {path}',
  'grep {flags:cEFhiHnvwx*} {-m{number}?} {name} {path}',
  'grep {flags:cEFhiHnvwx*} -e {name} {path}',
  'wc {flags:clmw*} {path}',
  'ls {flags:1aAdFghilnorsSt*} {path}',
  'stat {-f?} {path}',

  // Processes, memory, load
  'free {flags:bghklmtvw*}',
  'uptime {flags:ps?}',
  'nproc {--all?}',
  'lscpu',
  'vmstat {flags:adfnstw*}',
  'vmstat {flags:adnwt*} {number} {number}',
  'iostat {flags:cdhkmNtxyz*}',
  'iostat {flags:cdhkmNtxyz*} {number} {number}',
  'mpstat {number?} {number?}',
  'mpstat -P ALL {number?} {number?}',
  'top -b -n 1 {-w?} {-o?} {%CPU|%MEM|RES|TIME+?}',
  'top -bn1 {-o?} {%CPU|%MEM|RES|TIME+?}',
  `ps -e -o ${processColumns} ${processOrder}`,
  `ps -eo ${processColumns} ${processOrder}`,
  'ps -e',
  'ps -p {number} -o pid,ppid,user,stat,pcpu,pmem,rss,vsz,etime,unit,comm',
  'systemd-cgtop -b -n 1 {-c|-i|-m|-t|-p?} {--depth={1|2|3|4}?}',
  'swapon --show',

  // Units and their journal
  'systemctl status {-l|--full|--no-pager|-n|-n{number}|--lines={number}|{unit}*}',
  `systemctl show {unit?} {-p|--property} ${unitProperties} {--value?} {unit*}`,
  `systemctl show {unit?} --property=${unitProperties} {--value?} {unit*}`,
  `systemctl ${listOptions}`,
  `systemctl {list-units|list-timers|list-sockets|list-unit-files} ${listOptions} {unit*}`,
  'systemctl list-dependencies {--reverse|--all|--plain|--no-pager*} {unit?}',
  'systemctl list-jobs',
  'systemctl {is-active|is-failed|is-enabled} {unit*}',
  'systemctl is-system-running',
  `journalctl ${journalWords}`,
  'coredumpctl list {--no-pager|--no-legend|-r|--since={time}*}',

  // Packages
  'rpm -q {name*}',
  'rpm -qa {--last?}',
  'rpm -q{i|l|c|R} {name}',
  'rpm -q --changelog {name}',
  'dpkg -l {name*}',
  'dpkg {-s|-L} {name}',
  'dpkg-query -W {name*}',
  'apt list {--installed|--upgradable}',
  'apt-cache policy {name*}',
  'apt-mark {showhold|showmanual}',
  'apt-get -s {upgrade|dist-upgrade|autoremove}',
  'dnf {--cacheonly|-C} {list|check-update|repolist|updateinfo} {--installed|--updates|--upgrades|--security?} {name?}',
  'dnf {list|check-update|repolist|updateinfo} {--cacheonly|-C} {--installed|--updates|--upgrades|--security?} {name?}',

  // Clock
  'date {-u|-R|--utc|--iso-8601=seconds?}',
  'timedatectl {status|show|timesync-status|show-timesync?}',
  'chronyc {-n?} {tracking|sources|sourcestats|activity} {-v?}',

  // Network
  `ss ${sockets}`,
  `ss ${sockets} state {name}`,
  `ss ${sockets} {sport|dport} = :{number}`,
  `ip ${ipOptions} {address|addr|a|link|l|route|r|rule|neigh|n}`,
  `ip ${ipOptions} {address|addr|a|link|l|route|r|rule|neigh|n} {show|list|ls}`,
  `ip ${ipOptions} {address|addr|a|link|l} {show|list|ls} {name}`,
  `ip ${ipOptions} {address|addr|a|link|l} {show|list|ls} dev {name}`,
  'ip {-4|-6*} {route|r} show table {name}',
  'ip {-4|-6*} {route|r} get {name}',
  'resolvectl {status|statistics?}',
  'nmcli {device|general|connection} {status|show?}',
  'ethtool {name}',

  // The machine
  'uname {flags:amnoprsv*}',
  'hostnamectl',
  'hostnamectl status',
  'getenforce',
  'lsmod',
  'sysctl {-n?} {name}',
  'last {-x?} -n {number}',
  'getent {passwd|group} {name}',
  `openssl x509 -in {path} -noout ${certificateOptions} {number?}`,
  `openssl x509 -noout ${certificateOptions} -in {path}`,
];
