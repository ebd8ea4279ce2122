import type { BlockAction, Middleware, SlackActionMiddlewareArgs } from '@slack/bolt';
import { z } from 'zod';
import { InputError } from '../../fleet/errors.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import { explainToPerson } from '../explain-to-person.ts';
import { Asker } from '../people.ts';
import type { Services } from '../services.ts';
import { tellPerson } from '../tell-person.ts';
import type { View } from '../views/view.ts';

/** How long a person's right is looked up before a window: leaves `lookupTimeoutMs` of the 3 s to open it, too. */
export const rightLimitMs = 1_000;

/** One click of one person on a button of ours. */
export interface Click {
  /** What the button carries. Well-formed, but anybody's invention until the record is found. */
  readonly id: string;
  /** Of the row of buttons, as the message showed it. */
  readonly blockId: string;
  /** The same for every delivery of the same click. */
  readonly eventId: string;
  /** Opens a window, within 3 s. */
  readonly triggerId: string;
  /** Where the message stands; undefined for a button in a window. */
  readonly channel: string | undefined;
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly services: Services;
}

const idPattern = /^[rchaiso]-[0-9a-z]{12}$/;

/** The fields of a click's payload that we use. `team` is null where the app is installed for a whole grid. */
const payloadSchema = z.object({
  user: z.object({ id: z.string(), team_id: z.string().optional() }),
  team: z.object({ id: z.string() }).nullish(),
  trigger_id: z.string(),
  channel: z.object({ id: z.string() }).optional(),
  actions: z
    .tuple([z.object({ value: z.string().default(''), block_id: z.string().default('') })])
    .rest(z.unknown()),
  response_url: z.url(),
});

/**
 * A listener that acknowledges the click at once and then tells the person, and nobody else, what became of
 * it. Nothing in the click is believed but who clicked where (Slack signs that) and the id, which is looked up.
 *
 * @param what the button asks for, by which a refusal is recorded
 */
export function onButton(
  services: Services,
  what: string,
  serve: (click: Click) => Promise<View | undefined>,
): Middleware<SlackActionMiddlewareArgs<BlockAction>> {
  return async ({ ack, body }) => {
    await ack();
    const payload = payloadSchema.parse(body);
    const view = await answer(payload, services, what, serve);
    if (view !== undefined) await tellPerson(payload.response_url, view, services.log);
  };
}

/** Never rejects: what goes wrong is the answer. */
async function answer(
  {
    user,
    team,
    trigger_id,
    channel,
    actions: [{ value: id, block_id: blockId }],
  }: z.infer<typeof payloadSchema>,
  services: Services,
  what: string,
  serve: (click: Click) => Promise<View | undefined>,
): Promise<View | undefined> {
  const fleet = services.fleet.current();
  const asker = new Asker(user.id, team?.id ?? user.team_id ?? '', fleet, services.directory);
  try {
    if (!idPattern.test(id)) throw new InputError('This button carries nothing that fleetbot knows.');
    return await serve({
      id,
      blockId,
      eventId: `click:${trigger_id}`,
      triggerId: trigger_id,
      channel: channel?.id,
      fleet,
      asker,
      services,
    });
  } catch (error) {
    services.refusals.note(error, { by: asker.requester, what, target: id });
    return explainToPerson(error, services.log.child({ userId: user.id, click: id }));
  }
}
