import { z } from 'zod';

/** How many alerts a delivery may have: while they are read and matched, nothing else is served. */
export const alertsMax = 10_000;

/** The alerts of one delivery. Too many are refused before any of them is looked at. */
export function alertList<Schema extends z.ZodType>(alert: Schema) {
  const tooMany = `more than ${alertsMax} alerts: send fewer at once (max_alerts in Alertmanager)`;
  return z.array(z.unknown()).max(alertsMax, tooMany).pipe(z.array(alert));
}
