import type { Middleware, SlackCommandMiddlewareArgs } from '@slack/bolt';
import { z } from 'zod';
import type { Command, CommandContext, Invocation } from './commands/command.ts';
import { explainToPerson } from './explain-to-person.ts';
import { inTime } from './in-time.ts';
import { parseCommand } from './parse-command.ts';
import { Asker } from './people.ts';
import type { Services } from './services.ts';
import { ephemeral, tellPerson } from './tell-person.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';

/** Slack shows an error where a command is not acknowledged within 3 s; the rest is for the network. */
export const ackLimitMs = 2_000;

/** The fields of a slash command's payload that we use. */
const payloadSchema = z.object({
  user_id: z.string(),
  team_id: z.string(),
  channel_id: z.string(),
  text: z.string().default(''),
  trigger_id: z.string(),
  response_url: z.url(),
});
type Payload = z.infer<typeof payloadSchema>;

/**
 * Serves `/fleet …`. The acknowledgement carries the answer where there is one within `ackLimitMs`. A request
 * that was stored is acknowledged in silence: the message that the publisher posts is the receipt. Where it
 * takes longer, the acknowledgement says so and the outcome is told over the response URL.
 */
export function slashCommand(
  services: Services,
  commands: readonly Command[],
): Middleware<SlackCommandMiddlewareArgs> {
  return async ({ command, ack }) => {
    const payload = payloadSchema.parse(command);
    const outcome = answer(payload, services, commands);
    const first = await inTime(outcome, ackLimitMs);

    const tell = (view: View | undefined) => tellPerson(payload.response_url, view ?? stored, services.log);
    const acknowledge = async (view: View | undefined): Promise<boolean> => {
      try {
        await ack(view === undefined ? undefined : ephemeral(view));
        return true;
      } catch (error) {
        // The connection broke meanwhile. What was done stays done.
        services.log.warn({ err: error }, 'a command could not be acknowledged');
        return false;
      }
    };
    if (first === 'late') {
      await acknowledge(stillStoring);
      await tell(await outcome);
    } else if (!(await acknowledge(first))) {
      await tell(first);
    }
  };
}

const stillStoring = noticeView({
  text: 'Still storing or looking up what you asked for: it takes longer than usual. You will be told here what became of it, so do not repeat it yet.',
  kind: 'info',
});
const stored = noticeView({
  text: 'Your request is stored. Its message appears in the channel.',
  kind: 'info',
});

/** Never rejects: what goes wrong is the answer. */
async function answer(
  payload: Payload,
  services: Services,
  commands: readonly Command[],
): Promise<View | undefined> {
  const fleet = services.fleet.current();
  const context: CommandContext = {
    fleet,
    asker: new Asker(payload.user_id, payload.team_id, fleet, services.directory),
    origin: { channel: payload.channel_id },
    eventId: `cmd:${payload.trigger_id}`,
    services,
    commands,
  };
  let invocation: Invocation | undefined;
  try {
    invocation = parseCommand(payload.text, commands);
    return await invocation.run(context);
  } catch (error) {
    if (invocation !== undefined) {
      const by = context.asker.requester;
      services.refusals.note(error, { by, what: invocation.what, target: payload.text });
    }
    return explainToPerson(error, services.log.child({ userId: payload.user_id, eventId: context.eventId }));
  }
}
