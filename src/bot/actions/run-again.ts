import { InputError } from '../../fleet/errors.ts';
import type { Services } from '../services.ts';
import { submit } from '../submit.ts';
import { noticeView } from '../views/notice.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton } from './on-button.ts';
import { eventIdOfClick } from './same-click.ts';

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
  const eventId = await eventIdOfClick('again', { id, machine }, services);
  const { accepted, notice } = await submit(
    { selector: machine, task },
    { fleet, asker, origin, eventId, services },
  );
  if (accepted?.duplicate !== true) return notice;
  const [began = ''] = accepted.runIds;
  return noticeView({ text: `Already running again: \`${began}\` began a moment ago.`, kind: 'info' });
}
