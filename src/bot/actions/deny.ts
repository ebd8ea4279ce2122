import { NotAllowedError } from '../../fleet/errors.ts';
import { askingRun, decide, lateView, machineOf } from '../decide.ts';
import { inTime } from '../in-time.ts';
import { requireSeals } from '../no-decision-key.ts';
import type { Services } from '../services.ts';
import { denialReasonChars } from '../views/approval-words.ts';
import { denialReasonMinChars, denyModal } from '../views/deny-modal.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton, rightLimitMs } from './on-button.ts';
import { onReason } from './on-reason.ts';

/**
 * The button Deny of a card: asks why. Whoever may not deny is told so instead, where Slack says in time who they are;
 * it counts only what is looked up once more when they have said why.
 */
export function denyButton(services: Services) {
  return onButton(services, 'deny', askWhy);
}

async function askWhy({ id, triggerId, fleet, asker, services }: Click): Promise<View | undefined> {
  const run = await askingRun(id, services);
  if (run.approval.state !== 'waiting') return lateView(run);
  requireSeals(services);
  const { question } = run.approval;
  const right = await inTime(asker.mayDecide(machineOf(question, fleet), question, 'deny'), rightLimitMs);
  if (right !== 'late' && !right.allowed) throw new NotAllowedError(right.reason);
  await services.modals.open(triggerId, denyModal(run));
  return undefined;
}

/** The reason was given: the denial counts, or the window says why not. */
export function denySubmitted(services: Services) {
  return onReason(
    services,
    {
      ...{ what: 'deny', title: 'Deny', stored: 'your denial' },
      ...{ minChars: denialReasonMinChars, maxChars: denialReasonChars },
    },
    ({ id, reason, ...deciding }) => decide(id, { kind: 'deny', reason }, deciding),
  );
}
