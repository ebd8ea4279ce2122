import { expect, it } from 'vitest';
import { messageSchema } from '../../src/alerts/slack/message-schema.ts';
import { readAlertMessage } from '../../src/alerts/slack/read-alert-message.ts';
import { tidyAlert } from '../../src/alerts/tidy-alert.ts';
import { alertRulesSchema } from '../../src/fleet/alert-rules.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { cpuMsOf } from '../fleet/fixtures.ts';
import * as shapes from './shapes.ts';

const { machineLabels } = alertRulesSchema.parse({});

const read = (message: object) =>
  readAlertMessage(messageSchema.parse(message), machineLabels, redact).map((draft) =>
    tidyAlert(draft, redact),
  );
const one = (message: object) => {
  const [alert, ...more] = read(message);
  if (alert === undefined || more.length > 0) throw new Error('not one alert');
  return alert;
};

it.each([
  ['Alertmanager', shapes.alertmanager, 'firing', 'resolved', 'alertmanager', 'DiskAlmostFull'],
  ['Datadog', shapes.datadog, 'Triggered', 'Recovered', 'datadog', 'CPU is high'],
  ['Zabbix', shapes.zabbix, 'problem', 'resolved', 'zabbix', '/var: Disk space is low (used > 90%)'],
  ['PagerDuty', shapes.pagerduty, 'Triggered', 'Resolved', 'pagerduty', 'Disk full on web-01'],
  ['Uptime Kuma', shapes.uptimeKuma, false, true, 'uptime-kuma', 'Uptime Kuma Alert'],
  ['CloudWatch', shapes.cloudwatch, 'ALARM', 'OK', 'text', 'web-01-cpu-credits'],
  ['Sentry', shapes.sentry, 'Critical', 'Resolved', 'sentry', 'Errors on web-01'],
  ['Nagios', shapes.nagios, 'CRITICAL', 'OK', 'text', 'web-01/disk'],
] as const)(
  '%s is read, and known again when it is resolved',
  (_name, shape, firing, resolved, source, name) => {
    const before = one(shape(firing as never));
    expect(before).toMatchObject({ source, status: 'firing', name });
    expect(one(shape(resolved as never))).toMatchObject({
      status: 'resolved',
      name,
      fingerprint: before.fingerprint,
    });
  },
);

it('an incident that somebody acknowledged still fires', () => {
  expect(one(shapes.pagerduty('Acknowledged'))).toMatchObject({
    status: 'firing',
    fingerprint: one(shapes.pagerduty('Triggered')).fingerprint,
  });
});

it('fields, tags and lists become labels', () => {
  expect(one(shapes.zabbix('problem')).labels).toMatchObject({ host: 'web-01 [10.0.0.1]', severity: 'High' });
  expect(one(shapes.datadog('Triggered')).labels).toMatchObject({ host: 'web-01', env: 'prod' });
  expect(one(shapes.pagerduty('Triggered')).labels).toMatchObject({ service: 'Web shop' });
  expect(one(shapes.script).labels).toMatchObject({ target: '/srv/backup' });
});

it('links lead to where the monitoring shows it', () => {
  expect(one(shapes.alertmanager('firing')).url).toBe('http://am:9093/#/alerts?receiver=slack');
  expect(one(shapes.pagerduty('Triggered')).url).toBe('https://acme.pagerduty.com/incidents/PT4KHLK');
  expect(one(shapes.nagios('OK'))).not.toHaveProperty('url');
  const attachments = [{ title: '[FIRING:1] Disk (prod)', title_link: 'https://am.example/1' }];
  expect(
    one({ ...shapes.script, blocks: [], text: '<https://status.example|Status>', attachments }),
  ).toMatchObject({ source: 'alertmanager', url: 'https://am.example/1' });
});

it('rich text is read in the words that people see', () => {
  const { name, text, status } = one(shapes.script);
  expect({ name, status }).toEqual({ name: 'db-01: backup failed', status: 'firing' });
  expect(text).toContain('the log');
});

it('a message that lists several alerts is each of them, in its own state', () => {
  const alerts = read(shapes.grafana);
  expect(alerts).toMatchObject([
    {
      source: 'grafana',
      name: 'HighLoad',
      status: 'firing',
      labels: { instance: 'web-01.example.com:9100' },
    },
    {
      source: 'grafana',
      name: 'HighLoad',
      status: 'resolved',
      labels: { instance: 'db-01.example.com:9100' },
    },
  ]);
  expect(new Set(alerts.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  expect(read(shapes.alertmanagerWithDetails)).toMatchObject([
    { name: 'InstanceDown', labels: { instance: 'web-01:9100' } },
    { name: 'InstanceDown', labels: { instance: 'web-02:9100' } },
  ]);
});

it('a list is read down to the state of each, and the first label of a name counts', () => {
  const listed = (text: string) => read({ ...shapes.script, blocks: [], text });
  expect(
    listed('Disks\nFiring:\nHost: a\nTeam: x\nTeam: y\nResolved:\nHost: b\nHost: c').map(
      ({ status, labels }) => `${labels.host} ${labels.team ?? '-'} ${status}`,
    ),
  ).toEqual(['a x firing', 'b - resolved', 'c - resolved']);
  expect(listed('Disks\nResolved:\nTeam: x\nFiring:\nTeam: y')).toHaveLength(1);
  expect(listed('Host: a\n'.repeat(2_000)).length).toBeLessThanOrEqual(500);
});

it('a block in which people see words is read, and an attachment that has words only beside it', () => {
  const context = { type: 'context', elements: [{ type: 'mrkdwn', text: 'Host: web-01 <!channel> <@U1>' }] };
  const dated = {
    type: 'rich_text',
    elements: [
      {
        type: 'rich_text_section',
        elements: [
          { type: 'link', url: 'https://a.example' },
          { type: 'date', timestamp: 1, fallback: ' today' },
        ],
      },
    ],
  };
  const attachments = [{ fallback: 'Backup failed' }];
  expect(one({ ...shapes.script, blocks: [context, dated], attachments })).toMatchObject({
    labels: { host: 'web-01' },
    text: 'Host: web-01\nhttps://a.example today\nBackup failed',
  });
  let nested: object = context;
  for (let depth = 0; depth < 20_000; depth += 1) nested = { type: 'rich_text_list', elements: [nested] };
  expect(one({ ...shapes.script, blocks: [nested], text: 'words' })).toMatchObject({ text: 'words' });
});

it('attachments that each have a state are an alert each', () => {
  const attachment = (state: string, host: string) => ({
    title: `${state}: disk`,
    fields: [{ title: 'Host', value: host }],
  });
  expect(
    read({
      ...shapes.script,
      ...{ text: '2 changes', blocks: [], attachments: [attachment('Problem', 'a'), attachment('OK', 'b')] },
    }),
  ).toMatchObject([
    { status: 'firing', name: 'disk', labels: { host: 'a' } },
    { status: 'resolved', name: 'disk', labels: { host: 'b' } },
  ]);
});

it('a secret is not read in part, nor a name, where a long line is cut', () => {
  const cutInside = (word: string, max: number) => `${'x '.repeat(500)}`.slice(0, max - 12) + word;
  const title = cutInside('ghp_16C7e42F292c6912E7710c838347Ae178B4a', 300);
  const line = cutInside('ghp_16C7e42F292c6912E7710c838347Ae178B4a', 1_000);
  const alert = one({ ...shapes.script, blocks: [], text: `${title}\n${line}` });
  expect(JSON.stringify(alert)).not.toContain('ghp_');
  expect(
    one({ ...shapes.script, blocks: [], text: `x\n${cutInside('web-01-and-more', 1_000)}` }).text,
  ).toMatch(/…$/);
});

it('a long line is known again by how it begins', () => {
  const told = (end: string) =>
    one({ ...shapes.script, blocks: [], text: `web-01 ${'is slow, '.repeat(40)}${end}` });
  expect(told('since 10:00').fingerprint).toBe(told('since 10:05').fingerprint);
});

it('a preview that Slack added to a link is no part of the alert', () => {
  const preview = { title: 'Resolved: something else', from_url: 'https://blog.example', color: 'good' };
  const { attachments } = shapes.alertmanager('firing');
  const alerts = read({ ...shapes.alertmanager('firing'), attachments: [...attachments, preview] });
  expect(alerts).toEqual(read(shapes.alertmanager('firing')));
});

it.each([
  ['[RESOLVED] UpstreamDown (web)', 'resolved', 'UpstreamDown'],
  ['[FIRING:3] Disk almost full web-01 (x y)', 'firing', 'Disk almost full web-01'],
  ['[FIRING:3] NodeDiskFull web-01 (x y)', 'firing', 'NodeDiskFull'],
  ['[FIRING:1]  (val1)', 'firing', '(val1)'],
  [':white_check_mark: Recovered: [P3] Queue is long', 'resolved', 'Queue is long'],
  ['✅ OK: db-01 replication', 'resolved', 'db-01 replication'],
  ['Alert: [Resolved] lag', 'resolved', 'lag'],
  ['Alert: lag', 'firing', 'lag'],
  ['[No Data] heartbeat of web-01', 'firing', 'heartbeat of web-01'],
  ['web-01 is DOWN', 'firing', 'web-01'],
  ['Backup of web-01 - RESOLVED', 'resolved', 'Backup of web-01'],
  ['Up to date packages are missing on web-01', 'firing', 'Up to date packages are missing on web-01'],
  ['Error budget is burning', 'firing', 'Error budget is burning'],
])('the title "%s" is %s', (text, status, name) => {
  expect(one({ ...shapes.script, text, blocks: [] })).toMatchObject({ status, name });
});

it('the colour decides only where no word of the title or of a field does', () => {
  const status = (color: string, title: string, more: object = {}) =>
    one({ ...shapes.script, blocks: [], text: '', attachments: [{ title, color, ...more }] }).status;
  expect(status('#36a64f', 'Disk')).toBe('resolved');
  expect(status('#36a64f', 'Alert: Disk')).toBe('resolved');
  expect(status('#36a64f', 'Problem: Disk')).toBe('firing');
  expect(status('#36a64f', 'Disk', { fields: [{ title: 'Status', value: 'In alarm' }] })).toBe('firing');
  expect(status('a30200', 'Disk', { text: 'it was [OK]' })).toBe('firing');
  expect(status('439fe0', 'Disk', { text: 'it is [OK]' })).toBe('resolved');
});

it('fields of another shape than Slack promises are passed over', () => {
  const odd = {
    ts: '1.1',
    text: null,
    attachments: [7, { title: { a: 1 }, fields: 'none' }],
    blocks: [null, { type: 'section' }],
  };
  expect(read(odd)).toEqual([]);
  expect(read({ ...odd, text: 'web-01: still read' })).toMatchObject([{ name: 'web-01: still read' }]);
});

it('a long message of any text takes little time', () => {
  const unlucky = ['[', '{', '{a:', '<', '*', ' is ', ' - ', 'a.', ':x', '((', '\t', 'Problem: '];
  const texts = [
    ...unlucky.map((piece) => piece.repeat(40_000 / piece.length)),
    `[FIRING:1] Aa${'A'.repeat(200)}-x`,
    `{a:x${' '.repeat(900)}x}\n`.repeat(400),
    'Host: a\n'.repeat(5_000),
  ];
  for (const text of texts) {
    const message = { ...shapes.script, text, blocks: [] };
    expect(
      cpuMsOf(() => read(message)),
      text.slice(0, 20),
    ).toBeLessThan(500);
  }
});
