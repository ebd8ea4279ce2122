import type { Middleware, SlackViewMiddlewareArgs, ViewSubmitAction } from '@slack/bolt';
import { z } from 'zod';
import { NotAllowedError } from '../../fleet/errors.ts';
import { askingRun, decide, lateView, machineOf } from '../decide.ts';
import { explainToPerson } from '../explain-to-person.ts';
import { inTime } from '../in-time.ts';
import { requireSeals } from '../no-decision-key.ts';
import { Asker } from '../people.ts';
import type { Services } from '../services.ts';
import { ackLimitMs } from '../slash-command.ts';
import { tidyReason } from '../tidy-reason.ts';
import { denialReasonChars } from '../views/approval-words.ts';
import { denialReasonMinChars, denyModal, reasonActionId, reasonBlockId } from '../views/deny-modal.ts';
import { readingModal } from '../views/modal.ts';
import { noticeView } from '../views/notice.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton } from './on-button.ts';

/** How long the person's right is looked up before the window: leaves `lookupTimeoutMs` of the 3 s to open it, too. */
const rightLimitMs = 1_000;

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

/** The fields of a submitted window that we use. Slack signs who submitted it, and keeps our `private_metadata`. */
const payloadSchema = z.object({
  user: z.object({ id: z.string(), team_id: z.string().optional() }),
  team: z.object({ id: z.string() }).nullish(),
  view: z.object({
    id: z.string(),
    private_metadata: z.string(),
    state: z.object({
      values: z.object({
        [reasonBlockId]: z.object({ [reasonActionId]: z.object({ value: z.string().nullish() }) }),
      }),
    }),
  }),
});
type Payload = z.infer<typeof payloadSchema>;

/**
 * The reason was given: the denial counts, or the window says why not. It is acknowledged with the outcome where
 * there is one in time; where not, the window shows it later.
 */
export function denySubmitted(services: Services): Middleware<SlackViewMiddlewareArgs<ViewSubmitAction>> {
  return async ({ ack, body }) => {
    const payload = payloadSchema.parse(body);
    const { view } = payload;
    const given = view.state.values[reasonBlockId][reasonActionId].value ?? '';
    const reason = tidyReason(services.redact(given), denialReasonChars);
    if (reason.length < denialReasonMinChars) {
      const errors = { [reasonBlockId]: `Say why, in ${denialReasonMinChars} characters at least.` };
      return ack({ response_action: 'errors', errors });
    }
    const outcome = deny(payload, reason, services);
    const first = await inTime(outcome, ackLimitMs);
    const shown = first === 'late' ? stillStoring : first;
    const acknowledged = await ack({ response_action: 'update', view: readingModal('Deny', shown) }).then(
      () => true,
      (error: unknown) => {
        // The connection broke meanwhile. What was done stays done.
        services.log.warn({ err: error }, 'a submitted window could not be acknowledged');
        return false;
      },
    );
    if (first === 'late' || !acknowledged) {
      await services.modals.update(view.id, readingModal('Deny', await outcome));
    }
  };
}

const stillStoring = noticeView({
  text: 'Still storing your denial: it takes longer than usual. This window will say what became of it.',
  kind: 'info',
});

/** Never rejects: what goes wrong is the answer. */
async function deny({ user, team, view }: Payload, reason: string, services: Services): Promise<View> {
  const fleet = services.fleet.current();
  const asker = new Asker(user.id, team?.id ?? user.team_id ?? '', fleet, services.directory);
  const id = view.private_metadata;
  try {
    // A window is submitted once.
    const deciding = { fleet, asker, services, eventId: `window:${view.id}` };
    return await decide(id, { kind: 'deny', reason }, deciding);
  } catch (error) {
    services.refusals.note(error, { by: asker.requester, what: 'deny', target: id });
    return explainToPerson(error, services.log.child({ userId: user.id, window: view.id }));
  }
}
