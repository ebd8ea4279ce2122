import type { Middleware, SlackViewMiddlewareArgs, ViewSubmitAction } from '@slack/bolt';
import { z } from 'zod';
import type { Fleet } from '../../fleet/fleet.ts';
import { explainToPerson } from '../explain-to-person.ts';
import { inTime } from '../in-time.ts';
import { Asker } from '../people.ts';
import type { Services } from '../services.ts';
import { ackLimitMs } from '../slash-command.ts';
import { tidyReason } from '../tidy-reason.ts';
import { readingModal } from '../views/modal.ts';
import { noticeView } from '../views/notice.ts';
import { reasonActionId, reasonBlockId } from '../views/reason-modal.ts';
import type { View } from '../views/view.ts';

/** A reason that one person gave in a window of ours (see `views/reason-modal.ts`). */
export interface GivenReason {
  /** What the window carries: Slack keeps it as we gave it. */
  readonly id: string;
  /** Redacted and tidy; '' where none was given and none need be. */
  readonly reason: string;
  /** The same for every delivery: a window is submitted once. */
  readonly eventId: string;
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly services: Services;
}

/** What such a window is for. */
export interface ReasonListener {
  /** By which a refusal is recorded. */
  readonly what: string;
  readonly title: string;
  readonly minChars: number;
  readonly maxChars: number;
  /** What is stored, for a sentence: `your denial`. */
  readonly stored: string;
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
 * A listener for such a window: what `serve` comes to is shown in it, or why not. It is acknowledged with the outcome
 * where there is one in time; where not, the window shows it later.
 */
export function onReason(
  services: Services,
  { what, title, minChars, maxChars, stored }: ReasonListener,
  serve: (given: GivenReason) => Promise<View>,
): Middleware<SlackViewMiddlewareArgs<ViewSubmitAction>> {
  const stillStoring = noticeView({
    text: `Still storing ${stored}: it takes longer than usual. This window will say what became of it.`,
    kind: 'info',
  });
  return async ({ ack, body }) => {
    const payload = payloadSchema.parse(body);
    const { view } = payload;
    const given = view.state.values[reasonBlockId][reasonActionId].value ?? '';
    const reason = tidyReason(services.redact(given), maxChars);
    if (reason.length < minChars) {
      const errors = { [reasonBlockId]: `Say why, in ${minChars} characters at least.` };
      return ack({ response_action: 'errors', errors });
    }
    const outcome = answer(payload, reason, services, what, serve);
    const first = await inTime(outcome, ackLimitMs);
    const shown = first === 'late' ? stillStoring : first;
    const acknowledged = await ack({ response_action: 'update', view: readingModal(title, shown) }).then(
      () => true,
      (error: unknown) => {
        // The connection broke meanwhile. What was done stays done.
        services.log.warn({ err: error }, 'a submitted window could not be acknowledged');
        return false;
      },
    );
    if (first === 'late' || !acknowledged) {
      await services.modals.update(view.id, readingModal(title, await outcome));
    }
  };
}

/** Never rejects: what goes wrong is the answer. */
async function answer(
  { user, team, view }: Payload,
  reason: string,
  services: Services,
  what: string,
  serve: (given: GivenReason) => Promise<View>,
): Promise<View> {
  const fleet = services.fleet.current();
  const asker = new Asker(user.id, team?.id ?? user.team_id ?? '', fleet, services.directory);
  const id = view.private_metadata;
  try {
    return await serve({ id, reason, eventId: `window:${view.id}`, fleet, asker, services });
  } catch (error) {
    services.refusals.note(error, { by: asker.requester, what, target: id });
    return explainToPerson(error, services.log.child({ userId: user.id, window: view.id }));
  }
}
