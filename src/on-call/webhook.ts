import type { WebhookEntry } from './pagers-file.ts';
import type { Wire } from './wire.ts';

/**
 * A webhook of anybody's: gets one POST of JSON per escalation, under an `Idempotency-Key` that is the hand-over's id, and
 * answers with any 2xx once it has it. It may be sent again under the same key.
 *
 * ```json
 * { "id": "o-…", "event": "escalation", "because": "approved" or "expired", "machine": "web-01", "task": "check disk",
 *   "why": "/var is 93% full", "run": "r-…", "thread": "https://…" or null, "at": "2026-11-23T02:00:00.000Z" }
 * ```
 */
export function webhook({ url, token }: WebhookEntry): Wire {
  return {
    request: ({ handOver: { id, because, machine, task, why, run, openedAt }, thread = null }) => ({
      url,
      headers: {
        'idempotency-key': id,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: {
        ...{ id, event: 'escalation', because, machine, task, why, run, thread },
        at: new Date(openedAt).toISOString(),
      },
    }),
    doubt: () => undefined,
    reason: () => undefined,
    secrets: token === undefined ? [] : [token],
  };
}
