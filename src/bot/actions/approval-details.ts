import { askingRun } from '../decide.ts';
import { explainToPerson } from '../explain-to-person.ts';
import { findVisibleMachine } from '../find-machine.ts';
import { noSignerSentences } from '../no-signer.ts';
import type { Services } from '../services.ts';
import { approvalDetailsView } from '../views/approval-details.ts';
import { readingModal } from '../views/modal.ts';
import { noticeView } from '../views/notice.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton } from './on-button.ts';

const title = 'Details';

/** The button Details of a card: all that is known of the question, to those who may view its machine. */
export function approvalDetailsButton(services: Services) {
  return onButton(services, 'approval-details', async (click) => {
    // First of all, because Slack takes the trigger for 3 s, and who it is may take longer to look up.
    const window = await services.modals.open(click.triggerId, readingModal(title, lookingUp));
    await services.modals.update(window, readingModal(title, await detailsOf(click)));
    return undefined;
  });
}

const lookingUp = noticeView({ text: 'Looking it up…', kind: 'info' });

/** Never rejects: what goes wrong is the answer. */
async function detailsOf({ id, fleet, asker, services }: Click): Promise<View> {
  try {
    const run = await askingRun(id, services);
    const { question } = run.approval;
    const machine = await findVisibleMachine(question.machine, fleet, asker);
    const { allowed, reason } = await asker.mayDecide(machine, question, 'approve');
    const rules = await asker.explainRows('approve', machine, question.risk);
    const doubts = question.subject.kind === 'action' ? await noSignerSentences(services) : [];
    const policy = [...rules, `${allowed ? 'Yes' : 'No'}: ${reason}`, ...doubts];
    return approvalDetailsView(run, { policy, traceLink: services.linkTo(run) });
  } catch (error) {
    services.refusals.note(error, { by: asker.requester, what: 'approval-details', target: id });
    return explainToPerson(error, services.log.child({ userId: asker.userId, click: id }));
  }
}
