import { InputError } from '../../fleet/errors.ts';
import type { LedgerEntry } from '../../fleet/ledger-entry.ts';
import type { Run } from '../../fleet/run.ts';
import { findVisibleMachine } from '../find-machine.ts';
import { inTime } from '../in-time.ts';
import type { Services } from '../services.ts';
import {
  feedbackModal,
  feedbackReasonChars,
  feedbackReasonMinChars,
  type Rating,
  ratingWords,
} from '../views/feedback-modal.ts';
import { noticeView } from '../views/notice.ts';
import { hasAnswer } from '../views/run-main.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton, rightLimitMs } from './on-button.ts';
import { type GivenReason, onReason } from './on-reason.ts';

/** What it is called where refusals are noted. */
const what = 'feedback';

/**
 * The button 👍 or 👎 of an answer: asks why. Whoever may view the machine may; whoever may not is told so instead,
 * where Slack says in time who they are, and it is looked up once more when they have said why.
 */
export function feedbackButton(rating: Rating) {
  return (services: Services) => onButton(services, what, (click) => askWhy(click, rating));
}

async function askWhy({ id, triggerId, fleet, asker, services }: Click, rating: Rating): Promise<undefined> {
  const run = await answeredRun(id, services);
  await inTime(findVisibleMachine(run.request.machine, fleet, asker), rightLimitMs);
  await services.modals.open(triggerId, feedbackModal(run, rating));
}

/** The window was submitted: what the person thinks of the answer stands in the ledger, or the window says why not. */
export function feedbackSubmitted(rating: Rating) {
  return (services: Services) =>
    onReason(
      services,
      {
        ...{ what, title: `${ratingWords[rating]} answer`, stored: 'what you think of it' },
        ...{ minChars: feedbackReasonMinChars[rating], maxChars: feedbackReasonChars },
      },
      (given) => store(given, rating),
    );
}

async function store({ id, reason, fleet, asker, services }: GivenReason, rating: Rating): Promise<View> {
  const run = await answeredRun(id, services);
  const { name: machine } = await findVisibleMachine(run.request.machine, fleet, asker);
  const entry: LedgerEntry = {
    ...{ kind: 'feedback.given', at: services.clock(), by: asker.requester },
    ...{ run: run.id, machine, trace: run.trace.traceId, rating },
    ...(reason !== '' && { reason }),
  };
  // Said again, or told again by Slack, it is one fact.
  const word = JSON.stringify([run.id, rating, reason]);
  await services.ledger.appendOnce(`feedback:${asker.userId}`, word, entry);
  const link = services.linkTo(run);
  const where =
    'url' in link
      ? 'It will stand with the trace as your assessment.'
      : `It stands in the ledger alone, because there is no trace: ${link.missing}.`;
  return noticeView({
    text: `Thank you: ${ratingWords[rating]} is kept for \`${run.id}\`. ${where} Your last word counts.`,
    kind: 'info',
  });
}

/** @throws InputError where there is no such run, or nothing to judge */
async function answeredRun(id: string, { requests }: Services): Promise<Run> {
  const run = await requests.run(id);
  if (run === undefined) throw new InputError('This run is no longer known. Nothing was stored.');
  if (!hasAnswer(run))
    throw new InputError('There is no answer here to judge. Read the message as it is now.');
  return run;
}
