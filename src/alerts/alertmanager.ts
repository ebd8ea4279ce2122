import { z } from 'zod';
import { alertList } from './alert-list.ts';
import type { AlertDraft } from './tidy-alert.ts';

const values = z.record(z.string(), z.string());

const alertSchema = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: values,
  annotations: values.default({}),
  startsAt: z.iso.datetime({ offset: true }).optional().catch(undefined),
  generatorURL: z.string().optional(),
  fingerprint: z.string().optional(),
});

/**
 * What Alertmanager posts to a webhook (prometheus.io/docs/alerting/latest/configuration, webhook_config: version
 * "4"). Grafana's webhook contact point sends the same fields under version "1".
 */
const payloadSchema = z.object({
  version: z.enum(['4', '1']),
  /** How many alerts Alertmanager left out, because of `max_alerts`. */
  truncatedAlerts: z.int().nonnegative().default(0),
  alerts: alertList(alertSchema),
});

/** The annotations that say in words what is wrong, in this order. */
const wordsIn = ['summary', 'description', 'message'];

/**
 * The alerts of a notification, and how many the sender left out.
 * @throws ZodError when it is no such payload
 */
export function readAlertmanager(payload: unknown): {
  readonly alerts: readonly AlertDraft[];
  readonly truncated: number;
} {
  const { version, truncatedAlerts, alerts } = payloadSchema.parse(payload);
  return {
    truncated: truncatedAlerts,
    alerts: alerts.map(({ status, labels, annotations, startsAt, generatorURL, fingerprint }) => ({
      identity: fingerprint ?? labels,
      source: version === '4' ? 'alertmanager' : 'grafana',
      status,
      name: labels.alertname ?? '',
      labels: new Map(Object.entries(labels)),
      text: wordsIn.flatMap((name) => annotations[name] ?? []).join('\n'),
      startsAt: startsAt === undefined ? undefined : Date.parse(startsAt),
      url: generatorURL,
    })),
  };
}
