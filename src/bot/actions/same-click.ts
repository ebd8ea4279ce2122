import { clickEventPrefix } from '../click-event-id.ts';
import type { Services } from '../services.ts';

/** Clicks on the same button within this time are one request, whoever clicks. */
export const sameRequestWindowMs = 10_000;

/** How many of a machine's latest runs are looked through for one that such a click began. */
const recentRuns = 20;

/**
 * The event id of a request that a button of a record makes for a machine. Windows are fixed, so that two processes agree on them; a
 * click just after a window's end takes the event id of the one just before it, so that a double click over the edge
 * stays one request too.
 *
 * @param button tells one button of the record from another
 */
export async function eventIdOfClick(
  button: string,
  { id, machine }: { readonly id: string; readonly machine: string },
  services: Services,
): Promise<string> {
  const prefix = clickEventPrefix(button, id);
  const now = services.clock();
  const latest = await services.requests.runs({ machine, limit: recentRuns });
  const recent = latest.find(
    ({ request }) => request.eventId.startsWith(prefix) && now - request.acceptedAt < sameRequestWindowMs,
  );
  return recent?.request.eventId ?? `${prefix}${Math.floor(now / sameRequestWindowMs)}`;
}
