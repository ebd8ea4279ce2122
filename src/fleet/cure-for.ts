import type { Path } from './read-yaml.ts';

/**
 * What to write, by the key in question, or by the key and the one above it. Keys that are not here have a
 * default in the schema, which is shown as an example.
 */
const cures: Readonly<Record<string, string>> = {
  version: 'Write "version: 1"',
  defaults: 'Write settings such as "channel: C0123ABCD" under it',
  machines: 'Write an entry for each machine: "- name: rhel-01", and its address and hostKey under that',
  access: 'Write rows such as "- { people: [U0123ABCD], machines: all, verbs: [view, check] }"',
  'access.machines': 'Write a selector such as rhel-01, rhel-*, role=web, env=prod or all',
  'suggestions.machines': 'Write a selector such as rhel-01, rhel-*, role=web, env=prod or all',
  name: 'Write a name such as rhel-01, in lower case',
  address: 'Write a host name or IP address; user and port belong under ssh',
  hostKey:
    'Copy the type and the base64 text that "ssh-keyscan ADDRESS" prints, for example "ssh-ed25519 AAAAC3NzaC1l…"',
  ssh: 'Write for example { user: fleetbot, port: 22 }',
  role: 'Write a word such as web',
  channel: 'Write a Slack channel id such as C0123ABCD',
  people: 'Write Slack user ids such as [U0123ABCD]',
  groups: 'Write Slack user group ids such as [S0123ABCD]',
  verbs: 'Write "all" or a list of view, check, ask, cancel, halt, resume, silence, act, approve',
  upTo: 'Write one of reversible, disruptive, destructive, beside verbs with act or approve',
  agent: 'Write for example { transport: gateway-ws, diagnose: on-finding }',
  commands:
    'Write patterns such as [built-in, "mysqladmin status"]; "built-in" is the list that fleetbot has',
  readPaths: 'Write for example [built-in, /srv/app/log/*]; "built-in" is the list that fleetbot has',
  image: 'Write the image with its digest, such as quay.io/example/openclaw@sha256:4f53cda1…',
  diagnose: 'Write one of always, on-finding, never, by-request',
  limits: 'Write for example { taskTimeoutMs: 180000 }',
  checks: 'Write for example [disk, memory, load, services]',
  actions:
    'Write a name in lower case and its action, for example "reload-web: { summary: reload nginx, argv: [systemctl, reload, nginx], risk: reversible, verify: services, noUndo: a reload changes nothing }"',
  'machines.actions': 'Write names in lower case, for example [restart-web]',
  'defaults.actions': 'Write names in lower case, for example [restart-web]',
  argv: 'Write the program and its arguments, for example [journalctl, "--vacuum-size={size}"]; there is no shell',
  params: 'Write a name and what it may be, for example "size: { type: choice, values: [200M, 500M] }"',
  'undo.params': 'Write values by name, for example { state: "{state}" }',
  'suggestions.params': 'Write values by name, for example { size: 200M } or { unit: "{subject}" }',
  type: 'Write one of choice, integer, text',
  values: 'Write the values in a list, for example [200M, 500M], a number in quotes',
  min: 'Write a whole number such as 1',
  max: 'Write a whole number such as 100',
  default: 'Write one of the values that it may have',
  risk: 'Write one of reversible, disruptive, destructive',
  precondition: 'Write for example { check: disk, subject: /var }',
  subject: 'Write a glob such as /var or "*.service"',
  severities: 'Write for example [warning, critical]',
  severity: 'Write one of warning, critical',
  verify: 'Write the name of the check that shows whether it helped, such as disk',
  undo: 'Write for example { action: enable-site, params: { site: "{site}" } }',
  noUndo: 'Write why it cannot be taken back, in one sentence such as "what was deleted is gone"',
  action: 'Write the name of an action such as vacuum-journal',
  check: 'Write the name of a check such as disk',
  suggestions: 'Write rules such as "- { check: disk, subject: /var, action: vacuum-journal }"',
  approvals: 'Write for example { expireMinutes: 30, passOn: [S0123ABCD], onCall: [S0123ABCD] }',
  quorum: 'Write for example { destructive: 2 }',
  differentGroups: 'Write for example [destructive]',
  expireMinutes: 'Write a number of minutes such as 30',
  remindMinutes: 'Write a number of minutes such as 10',
  validMinutes: 'Write a number of minutes such as 60',
  passOn: 'Write Slack ids of user groups or people such as [S0123ABCD, U0123ABCD], 10 at most',
  onCall:
    'Write Slack ids of people, user groups or channels, or pagers of FLEETBOT_PAGERS, such as [U0123ABCD, C0123ABCD, "pager:primary"], 10 at most',
  alerts: 'Write for example { webhookChannel: C0123ABCD, otherwise: services }',
  channels: 'Write rows such as "- { channel: C0123ABCD, apps: [A0123ABCD] }"',
  apps: 'Write the ids of apps (A0123ABCD) or bots (B0123ABCD), not their names',
  webhookChannel: 'Write a Slack channel id such as C0123ABCD',
  'alerts.rules': 'Write rows such as "- { match: { alertname: Disk* }, check: disk }"',
  match: 'Write labels and globs for their values, for example { alertname: Disk*, severity: critical }',
  'rules.text': 'Write a glob such as "*out of memory*"',
  'rules.machines': 'Write a selector such as rhel-01, rhel-*, role=web, env=prod or all',
  otherwise: 'Write the name of a check such as services',
  schedules:
    'Write rows such as "- { name: nightly-disk, machines: all, check: disk, cron: 0 3 * * *, channel: C0123ABCD }"',
  'schedules.name': 'Write a name such as nightly-disk, in lower case',
  'schedules.machines': 'Write a selector such as rhel-01, rhel-*, role=web, env=prod or all',
  budgets: 'Write rows such as "- { name: web-per-day, machines: role=web, usd: 10, per: day }"',
  'budgets.name': 'Write a name such as web-per-day, in lower case',
  'budgets.machines': 'Write a selector such as rhel-01, rhel-*, role=web, env=prod or all',
  usd: 'Write US dollars such as "usd: 10"',
  cron: 'Write when in five fields in quotes, such as "0 3 * * *" (every night at 3:00)',
  timeZone: 'Write the name of a time zone such as Europe/Berlin',
  jitterSeconds: 'Write a number of seconds such as 600, 3600 at most',
  ask: 'Write a question such as "What changed since yesterday?"',
  customChecks:
    'Write a name in lower case and its check, for example "raid: { summary: RAID is complete, command: [cat, /proc/mdstat], mustMatch: UU }"',
  summary: 'Write one line such as "software RAID is complete", of 120 characters at most',
  command: 'Write the program and its arguments, for example [cat, /proc/mdstat]; there is no shell',
  root: 'Write true where only root may read what the command reads',
  mustMatch: 'Write a simple regular expression that matches only the output that is good, such as ^UP$',
  mustNotMatch: 'Write a simple regular expression such as FAILED',
  number: "Write for example { pattern: '(\\d+)', warnAbove: 80, criticalAbove: 90 }",
  pattern: 'Write a simple regular expression for the whole value, such as [a-z0-9-]{1,40}',
  'number.pattern': 'Write a simple regular expression whose first group ( ) is the number',
  unit: 'Write a unit such as ms, of 20 characters at most',
  warnAbove: 'Write a number such as 80',
  criticalAbove: 'Write a number such as 90',
  warnBelow: 'Write a number such as 20',
  criticalBelow: 'Write a number such as 10',
  labels: 'Write labels as "key: value", the key of letters and digits, a number as value in quotes',
  expect: 'Write for example { disk: { warnUsedPercent: 70 } }',
  disk: 'Write for example { warnUsedPercent: 70 }',
  memory: 'Write for example { warnAvailablePercent: 15 }',
  load: 'Write for example { warnPerCpu: 1.5 }',
  services: 'Write for example { active: [sshd.service] }',
  warnUsedPercent: 'Write a percentage such as 80',
  criticalUsedPercent: 'Write a percentage such as 90',
  warnInodesPercent: 'Write a percentage such as 80',
  criticalInodesPercent: 'Write a percentage such as 90',
  mounts: 'Write mount points and their limits, for example { /var: { warnUsedPercent: 70 } }',
  ignoreMounts: 'Write for example [/mnt/*]',
  active: 'Write systemd units such as [sshd.service]',
  logs: 'Write for example { warnLines: 5, ignore: ["app.service: *timeout*"] }',
  kernel: 'Write for example { sinceMinutes: 1440, ignore: ["usb *"] }',
  updates: 'Write for example { warnSecurity: 1 }',
  time: 'Write for example { warnSkewMs: 1000 }',
  certs: 'Write for example { files: [/etc/pki/tls/certs/localhost.crt] }',
  network: 'Write for example { interfaces: [eth0], resolve: [example.com], listening: [443] }',
  ignore: 'Write globs in quotes, for example ["app.service: *timeout*"]',
  files: 'Write paths such as [/etc/pki/tls/certs/localhost.crt], 20 at most',
  interfaces: 'Write names such as [eth0]',
  resolve: 'Write host names such as [example.com], 5 at most',
  listening: 'Write TCP ports such as [22, 443]',
};

/** Keys under which the file's author chooses the keys: the cure is that of the group, whatever they are. */
const freeKeys: readonly string[] = ['labels', 'customChecks', 'mounts', 'actions', 'params', 'match'];

/** What to write under the innermost key of the path; a list item has the cure of its list. */
export function cureFor(path: Path): string | undefined {
  const keys = path.filter((key) => typeof key === 'string');
  const last = keys.at(-1) ?? '';
  const above = keys.at(-2) ?? '';
  const name = freeKeys.includes(above) ? above : last;
  const known = [`${above}.${last}`, name].find((key) => Object.hasOwn(cures, key));
  return known === undefined ? undefined : cures[known];
}
