/**
 * Messages as integrations post them, as Slack delivers them to an app that listens: modern apps without subtype and
 * with an empty text. Where each shape comes from is told in `src/alerts/slack/read-alert-message.ts`.
 */

const posted = (bot: string, name: string) => ({
  type: 'message',
  channel: 'C0ALERTS',
  ts: '1800000000.000100',
  text: '',
  bot_id: `B0${bot}`,
  app_id: `A0${bot}`,
  bot_profile: { id: `B0${bot}`, app_id: `A0${bot}`, name },
});

/** Alertmanager's default template: no text, colours as Slack gives them back. */
export const alertmanager = (status: 'firing' | 'resolved') => ({
  ...posted('AM', 'Alertmanager'),
  attachments: [
    {
      id: 1,
      color: status === 'firing' ? 'a30200' : '2eb886',
      fallback: `${status === 'firing' ? '[FIRING:1]' : '[RESOLVED]'} DiskAlmostFull (web-01:9100 node critical) | http://am:9093/#/alerts?receiver=slack`,
      title: `${status === 'firing' ? '[FIRING:1]' : '[RESOLVED]'} DiskAlmostFull (web-01:9100 node critical)`,
      title_link: 'http://am:9093/#/alerts?receiver=slack',
      mrkdwn_in: ['fallback', 'pretext', 'text'],
    },
  ],
});

/** Alertmanager with the list of details that many put into `text`. */
export const alertmanagerWithDetails = {
  ...posted('AM', 'Alertmanager'),
  attachments: [
    {
      color: 'a30200',
      title: '[FIRING:2] InstanceDown for node (prod)',
      title_link: 'http://am:9093/#/alerts',
      text:
        '*Alert:* Instance is down - `critical`\n*Details:*\n • *alertname:* `InstanceDown`\n • *instance:* `web-01:9100`\n\n' +
        '*Alert:* Instance is down - `critical`\n*Details:*\n • *alertname:* `InstanceDown`\n • *instance:* `web-02:9100`\n',
    },
  ],
};

/** Grafana's default message: a list of labels for each alert, in two states at once. */
export const grafana = {
  ...posted('GRAF', 'Grafana'),
  attachments: [
    {
      color: 'D63232',
      fallback: '[FIRING:1, RESOLVED:1] HighLoad (prod)',
      title: '[FIRING:1, RESOLVED:1] HighLoad (prod)',
      title_link: 'http://grafana.example/alerting/list',
      text:
        '**Firing**\n\nValue: A=9.1, C=1\nLabels:\n - alertname = HighLoad\n - env = prod\n - instance = web-01.example.com:9100\n' +
        'Annotations:\n - summary = Load is high\nSource: http://grafana.example/alerting/grafana/abc/view\n' +
        'Silence: http://grafana.example/alerting/silence/new?alertmanager=grafana&amp;matcher=alertname%3DHighLoad\n\n\n' +
        '**Resolved**\n\nValue: A=0.2, C=0\nLabels:\n - alertname = HighLoad\n - env = prod\n - instance = db-01.example.com:9100\n' +
        'Annotations:\n - summary = Load is high\nSource: http://grafana.example/alerting/grafana/abc/view\n',
      footer: 'Grafana v11.3.0',
      footer_icon: 'https://grafana.com/static/assets/img/fav32.png',
      ts: 1_800_000_000,
    },
  ],
};

/** PagerDuty posts once and edits the message as the incident goes on. */
export const pagerduty = (
  state: 'Triggered' | 'Acknowledged' | 'Resolved',
  summary = 'Disk full on web-01',
) => ({
  ...posted('PD', 'PagerDuty'),
  blocks: [
    {
      type: 'section',
      text: {
        type: 'mrkdwn',
        text: `*${state} <https://acme.pagerduty.com/incidents/PT4KHLK|#1234>: ${summary}*`,
      },
    },
    {
      type: 'section',
      fields: [
        { type: 'mrkdwn', text: '*Assigned:*\n<https://acme.pagerduty.com/users/P1|Ann>' },
        { type: 'mrkdwn', text: '*Service:*\n<https://acme.pagerduty.com/services/P2|Web shop>' },
      ],
    },
    { type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'Resolve' } }] },
  ],
});

/** Datadog puts the tags that a monitor is grouped by into the title. */
export const datadog = (state: 'Triggered' | 'Recovered') => ({
  ...posted('DD', 'Datadog'),
  attachments: [
    {
      color: state === 'Triggered' ? 'a30200' : '2eb886',
      fallback: `[${state} on {host:web-01,env:prod}] CPU is high`,
      title: `[P2] [${state} on {host:web-01,env:prod}] CPU is high`,
      title_link: 'https://app.datadoghq.com/monitors/1234',
      text: 'system.cpu.user was over 90 for 5 minutes\n@slack-alerts',
      fields: [{ title: 'Tags', value: 'team:web', short: true }],
    },
  ],
});

/** Zabbix, which edits the problem's message when it is over. */
export const zabbix = (state: 'problem' | 'resolved') => ({
  ...posted('ZBX', 'Zabbix'),
  attachments: [
    {
      color: state === 'problem' ? 'e45959' : '009900',
      fallback: 'Disk space is low',
      title:
        state === 'problem'
          ? 'Problem: /var: Disk space is low (used &gt; 90%)'
          : 'Resolved in 5m 12s: /var: Disk space is low (used &gt; 90%)',
      title_link: 'https://zabbix.example/tr_events.php?triggerid=1&amp;eventid=2',
      fields: [
        { title: 'Host', value: 'web-01 [10.0.0.1]', short: true },
        { title: 'Event time', value: '2026.11.23 00:00:00', short: true },
        { title: 'Severity', value: 'High', short: true },
        { title: 'Trigger description', value: '', short: true },
      ],
    },
  ],
});

/** Uptime Kuma over an incoming webhook: an old-style bot message with its words in the blocks of an attachment. */
export const uptimeKuma = (up: boolean) => {
  const said = up ? '[web-01] [✅ Up] 200 - OK' : '[web-01] [🔴 Down] connect ECONNREFUSED 10.0.0.1:443';
  return {
    type: 'message',
    subtype: 'bot_message',
    channel: 'C0ALERTS',
    ts: '1800000000.000100',
    bot_id: 'B0KUMA',
    username: 'Uptime Kuma',
    text: `Uptime Kuma Alert\n${said}`,
    attachments: [
      {
        color: up ? '2eb886' : 'e01e5a',
        blocks: [
          { type: 'header', text: { type: 'plain_text', text: 'Uptime Kuma Alert', emoji: true } },
          {
            type: 'section',
            fields: [
              { type: 'mrkdwn', text: `*Message*\n${said}` },
              { type: 'mrkdwn', text: '*Time (UTC)*\n2026-11-23 00:00:00' },
            ],
          },
        ],
      },
    ],
  };
};

/** CloudWatch through a Lambda: the name alone is the title, the state a field. */
export const cloudwatch = (state: 'ALARM' | 'OK') => ({
  ...posted('CW', 'aws-alarms'),
  attachments: [
    {
      fallback: 'web-01-cpu-credits',
      title: 'web-01-cpu-credits',
      text: 'CPU credits of web-01 are used up',
      color: state === 'ALARM' ? 'a30200' : '2eb886',
      fields: [
        { title: 'Status', value: state, short: true },
        { title: 'Region', value: 'EU (Frankfurt)', short: true },
      ],
    },
  ],
});

/** Sentry: blocks in an attachment; the state is in its first words and its colour. */
export const sentry = (state: 'Critical' | 'Resolved') => ({
  ...posted('SEN', 'Sentry'),
  attachments: [
    {
      color: state === 'Critical' ? 'e03e2f' : '4dc771',
      fallback: `<https://acme.sentry.io/alerts/1|*${state}: Errors on web-01*>`,
      blocks: [
        {
          type: 'section',
          text: {
            type: 'mrkdwn',
            text: `<https://acme.sentry.io/alerts/1|*${state}: Errors on web-01*>\n312 events in the last 10 minutes\n<!date^1800000000^Started: {date_pretty} at {time}|Started: 2027-01-15>`,
          },
        },
      ],
    },
  ],
});

/** A script that posts with rich text, as the message editor makes it. */
export const script = {
  ...posted('CRON', 'nightly'),
  text: 'db-01: backup failed',
  blocks: [
    {
      type: 'rich_text',
      elements: [
        {
          type: 'rich_text_section',
          elements: [
            { type: 'emoji', name: 'warning' },
            { type: 'text', text: 'db-01', style: { bold: true } },
            { type: 'text', text: ': backup failed' },
          ],
        },
        {
          type: 'rich_text_list',
          elements: [
            { type: 'rich_text_section', elements: [{ type: 'text', text: 'target: /srv/backup' }] },
            {
              type: 'rich_text_section',
              elements: [{ type: 'link', url: 'https://logs.example/1', text: 'the log' }],
            },
          ],
        },
      ],
    },
  ],
};

/** Icinga and Nagios, as plain text. */
export const nagios = (state: 'CRITICAL' | 'OK') => ({
  ...posted('NAG', 'monitoring'),
  text: `:rotating_light: web-01/disk is ${state}`,
});
