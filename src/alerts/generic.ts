import { z } from 'zod';
import { alertList } from './alert-list.ts';
import type { AlertDraft } from './tidy-alert.ts';

/**
 * Our own format, for whatever can post JSON: one alert, a list of them, or `{ "alerts": […] }`. Only `name` is
 * needed:
 *
 *     { "name": "DiskAlmostFull", "status": "firing", "labels": { "host": "rhel-01" }, "text": "/var is at 95%",
 *       "url": "https://…", "startsAt": "2026-11-23T00:00:00Z", "fingerprint": "…" }
 *
 * Messages about the same alert have the same name and labels, or the same fingerprint where they have one.
 */
const alertSchema = z.strictObject({
  name: z.string().min(1),
  status: z.enum(['firing', 'resolved']).default('firing'),
  labels: z.record(z.string(), z.string()).default({}),
  text: z.string().default(''),
  url: z.string().optional(),
  startsAt: z.iso.datetime({ offset: true }).optional(),
  fingerprint: z.string().min(1).optional(),
});

const listSchema = alertList(alertSchema);

/**
 * The alerts of a message in our own format.
 * @throws ZodError when it is none
 */
export function readGeneric(payload: unknown): readonly AlertDraft[] {
  return listOf(payload).map(({ name, status, labels, text, url, startsAt, fingerprint }) => ({
    ...{ source: 'generic', status, name, text, url },
    identity: fingerprint ?? labels,
    labels: new Map(Object.entries(labels)),
    startsAt: startsAt === undefined ? undefined : Date.parse(startsAt),
  }));
}

function listOf(payload: unknown): z.infer<typeof listSchema> {
  if (Array.isArray(payload)) return listSchema.parse(payload);
  if (typeof payload === 'object' && payload !== null && 'alerts' in payload) {
    return z.strictObject({ alerts: listSchema }).parse(payload).alerts;
  }
  return [alertSchema.parse(payload)];
}
