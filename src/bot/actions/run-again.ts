import { InputError } from '../../fleet/errors.ts';
import type { Run } from '../../fleet/run.ts';
import type { Services } from '../services.ts';
import { submit } from '../submit.ts';
import { noticeView } from '../views/notice.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton } from './on-button.ts';

/** Clicks on the same button within this time are one request, whoever clicks. */
export const sameRequestWindowMs = 10_000;

/** How many of a machine's latest runs are looked through for one that such a click began. */
const recentRuns = 20;

/** The button Run again: the same task, on the same machine, answered in the same place. */
export function runAgainButton(services: Services) {
  return onButton(services, 'run-again', runAgain);
}

async function runAgain({ id, fleet, asker, services }: Click): Promise<View | undefined> {
  const run = await services.requests.run(id);
  if (run === undefined) {
    throw new InputError('This run is no longer known. Type the command again with `/fleet`.');
  }
  const { machine, task, origin } = run.request;
  const eventId = await eventIdFor(run, services);
  const { accepted, notice } = await submit(
    { selector: machine, task },
    { fleet, asker, origin, eventId, services },
  );
  if (accepted?.duplicate !== true) return notice;
  const [began = ''] = accepted.runIds;
  return noticeView({ text: `Already running again: \`${began}\` began a moment ago.`, kind: 'info' });
}

/**
 * Windows are fixed, so that two processes agree on them; a click just after a window's end takes the event
 * id of the one just before it, so that a double click over the edge stays one request too.
 */
async function eventIdFor(run: Run, services: Services): Promise<string> {
  const prefix = `again:${run.id}:`;
  const now = services.clock();
  const latest = await services.requests.runs({ machine: run.request.machine, limit: recentRuns });
  const recent = latest.find(
    ({ request }) => request.eventId.startsWith(prefix) && now - request.acceptedAt < sameRequestWindowMs,
  );
  return recent?.request.eventId ?? `${prefix}${Math.floor(now / sameRequestWindowMs)}`;
}
