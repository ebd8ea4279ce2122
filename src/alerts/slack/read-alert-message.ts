import type { Alert } from '../../fleet/alert.ts';
import type { Redact } from '../ports.ts';
import type { AlertDraft } from '../tidy-alert.ts';
import { type ListedAlert, listedAlerts } from './listed-alerts.ts';
import { type MessagePart, partsOf } from './message-parts.ts';
import type { SlackMessage } from './message-schema.ts';
import { readTitle, statusInLine, statusOfColor, statusOfWord } from './read-title.ts';
import { sourceOf } from './source-of.ts';

/** The fields in which integrations tell the state, in this order. */
const statusFields = ['status', 'state', 'alert_status', 'current_state', 'new_state', 'alertstate'];

/** Alertmanager's and Grafana's subject: the values of the group, then in parentheses those that all alerts share. */
const groupSubject = /^\[(?:FIRING:\d|RESOLVED)/i;
/** An alert's name as Prometheus' rules have them, before the other values of the group. */
const camelCase = /^([A-Z][a-z0-9]+[A-Z][A-Za-z0-9]*)\s/;

/**
 * What a message of another app says, as alerts; none where it says nothing. It reads what integrations have in
 * common: a title that begins or ends with the state, a colour, fields and lines `NAME: VALUE`. The shapes behind it:
 * - Alertmanager: `[FIRING:2] NAME (values)` in an attachment (prometheus/alertmanager, template/default.tmpl).
 * - Grafana: the same title, and per alert a list of labels under `**Firing**` and `**Resolved**` (grafana/alerting,
 *   templates/default_template.go, receivers/slack).
 * - Datadog: `[Triggered on {host:h1}] NAME`, `[Recovered on …]` (docs.datadoghq.com/monitors, include_tags).
 * - Zabbix: `Problem: NAME`, edited to `Resolved in 5m: NAME`, fields Host and Severity (zabbix/zabbix,
 *   templates/media/slack).
 * - PagerDuty: `Triggered #12: NAME`, edited as its state changes (support.pagerduty.com, Slack integration guide).
 * - Uptime Kuma: `[MONITOR] [🔴 Down] …` in blocks of an attachment (louislam/uptime-kuma, notification-providers/slack.js).
 * - Sentry: blocks in an attachment, the state in its colour (getsentry/sentry, integrations/slack/message_builder).
 * - CloudWatch over Lambda: the alarm's name, a field `Status` with ALARM or OK (blueimp/aws-lambda,
 *   cloudwatch-alarm-to-slack).
 *
 * @param machineLabels the labels that may name a machine: with its name they tell an alert from others
 */
export function readAlertMessage(
  message: SlackMessage,
  machineLabels: readonly string[],
  redact: Redact,
): readonly AlertDraft[] {
  const { head, attachments } = partsOf(message, redact);
  const source = sourceOf(message, [...(head ? [head] : []), ...attachments]);
  // Several attachments that each tell a state are an alert each; else all pieces tell of the same.
  const stated = attachments.filter(({ title }) => readTitle(title).status !== undefined);
  const alerts =
    stated.length > 1 ? stated.map((part) => [part]) : [[...(head ? [head] : []), ...attachments]];
  return alerts.flatMap((parts) => alertsIn(parts, source, machineLabels));
}

function alertsIn(
  parts: readonly MessagePart[],
  source: string,
  machineLabels: readonly string[],
): readonly AlertDraft[] {
  const main = parts.find(({ title }) => readTitle(title).status !== undefined) ?? parts[0];
  if (main === undefined) return [];
  const title = readTitle(main.title);
  const lines = parts.flatMap((part) => [part.title, ...part.lines]);
  const color = parts.find((part) => part.color !== undefined)?.color;
  const url = main.url ?? parts.find((part) => part.url !== undefined)?.url;
  const listed = listedAlerts(lines, machineLabels);
  const otherwise =
    (color === undefined ? undefined : statusOfColor(color)) ??
    lines.map(statusInLine).find((told) => told !== undefined) ??
    'firing';
  const statusOf = ({ labels, status }: ListedAlert): Alert['status'] =>
    status ??
    title.status ??
    statusFields.map((name) => statusOfWord(labels.get(name) ?? '')).find((told) => told !== undefined) ??
    otherwise;
  return listed.map((alert) => {
    const name = alert.labels.get('alertname') ?? shortName(main.title, title.name);
    return {
      source,
      status: statusOf(alert),
      name,
      labels: alert.labels,
      text: (listed.length > 1 ? [main.title, ...alert.lines] : lines).join('\n'),
      identity: machineIdentity(alert, machineLabels),
      url,
    };
  });
}

/** What is the same in every message about the group, firing or resolved: the values in parentheses are not. */
function shortName(title: string, name: string): string {
  if (!groupSubject.test(title)) return name;
  const group = name.replace(/\s*\([^()]*\)$/, '');
  return camelCase.exec(`${group} `)?.[1] ?? (group === '' ? name : group);
}

/** Not the time or the message, which are others when it is resolved. */
function machineIdentity(
  { labels }: ListedAlert,
  machineLabels: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    machineLabels.flatMap((label) => {
      const value = labels.get(label.toLowerCase());
      return value === undefined ? [] : [[label.toLowerCase(), value.toLowerCase()]];
    }),
  );
}
