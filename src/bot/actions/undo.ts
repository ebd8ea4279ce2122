import { InputError } from '../../fleet/errors.ts';
import type { Services } from '../services.ts';
import { submit } from '../submit.ts';
import { hasAsked } from '../views/approval-words.ts';
import { noticeView } from '../views/notice.ts';
import { wantsUndo } from '../views/run-outcome.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton } from './on-button.ts';
import { eventIdOfClick } from './same-click.ts';

/** The button Undo of an action: asks, in the name of who clicked and in the same thread, for what takes it back. */
export function undoButton(services: Services) {
  return onButton(services, 'undo', undo);
}

async function undo({ id, fleet, asker, services }: Click): Promise<View | undefined> {
  const run = await services.requests.run(id);
  if (run === undefined || !hasAsked(run)) throw new InputError('This action is no longer known.');
  const { subject } = run.approval.question;
  const back = subject.kind === 'action' ? subject.undo : undefined;
  if (back === undefined || !wantsUndo(run)) {
    throw new InputError('There is nothing to undo here. Read the message as it is now.');
  }
  const { machine, origin } = run.request;
  const threadTs = await services.threads.root(run);
  const task = { kind: 'act', action: back.action, params: back.params } as const;
  const { accepted, notice } = await submit(
    { selector: machine, task },
    {
      ...{ fleet, asker, services },
      origin: threadTs === undefined ? origin : { ...origin, threadTs },
      eventId: await eventIdOfClick('undo', { id, machine }, services),
    },
  );
  if (accepted?.duplicate !== true) return notice;
  const [began = ''] = accepted.runIds;
  return noticeView({ text: `Already asked for: \`${began}\` began a moment ago.`, kind: 'info' });
}
