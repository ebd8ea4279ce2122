import type { MessagePart } from './message-parts.ts';
import type { SlackMessage } from './message-schema.ts';

/** What integrations are called in their names, footers and addresses. */
const known = [
  ['grafana', /grafana/i],
  ['alertmanager', /alertmanager|prometheus/i],
  ['pagerduty', /pagerduty/i],
  ['datadog', /datadog/i],
  ['zabbix', /zabbix/i],
  ['sentry', /sentry/i],
  ['cloudwatch', /cloudwatch|aws chatbot|amazon q/i],
  ['uptime-kuma', /uptime[ -]?kuma/i],
  ['new-relic', /new ?relic/i],
  ['nagios', /nagios|icinga/i],
  ['opsgenie', /opsgenie/i],
] as const;

/** Which integration posted the message, by what it calls itself; `text` where nothing tells. Only for people. */
export function sourceOf(message: SlackMessage, parts: readonly MessagePart[]): string {
  const told = [
    ...[message.bot_profile?.name, message.username],
    ...parts.flatMap(({ title, url, footer }) => [footer, url, title]),
  ];
  for (const text of told) {
    const found = text === undefined ? undefined : known.find(([, pattern]) => pattern.test(text));
    if (found !== undefined) return found[0];
  }
  return parts.some(({ title }) => /^\[(?:FIRING:\d|RESOLVED)/.test(title)) ? 'alertmanager' : 'text';
}
