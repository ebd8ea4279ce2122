import { z } from 'zod';

/** How much of an alert's own text is kept. */
export const alertTextMaxCharacters = 2_000;

/** One alert as some monitoring told it, read and redacted. Its text was written by machines: never trusted. */
export const alertSchema = z.object({
  /** The same for every message about the same alert, firing or resolved. */
  fingerprint: z.string().min(1).max(128),
  /** The integration that it was read as: `alertmanager`, `grafana`, `pagerduty`, `generic`, `text`, … */
  source: z.string(),
  status: z.enum(['firing', 'resolved']),
  /** What kind of alert it is: `DiskAlmostFull`. */
  name: z.string().min(1).max(200),
  labels: z.record(z.string(), z.string()),
  /** In words, for people. */
  text: z.string().max(alertTextMaxCharacters),
  /** Milliseconds since the epoch, the monitoring's clock. */
  startsAt: z.int().optional(),
  /** Where the monitoring shows it. */
  url: z.url().optional(),
});

export type Alert = z.infer<typeof alertSchema>;

/** Why a delivery to the webhook was not taken. */
export const refusalReasons = ['unauthorized', 'invalid', 'too-large', 'busy', 'unavailable'] as const;
export type RefusalReason = (typeof refusalReasons)[number];
