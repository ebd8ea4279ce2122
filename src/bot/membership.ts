import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from './ports.ts';
import { slackErrorCode } from './slack-error-code.ts';

/** How long a "yes, we are in this channel" is believed; a "no" is asked again every time. */
export const membershipCacheMs = 60_000;

/** Whether the bot can answer in a channel. */
export interface Membership {
  /** undefined: yes. Otherwise a sentence that says what to do. Never rejects; doubt is a no. */
  obstacle(channel: string): Promise<string | undefined>;
  /** Whether Slack says that it cannot. Never rejects; doubt is a no. */
  isOutside(channel: string): Promise<boolean>;
}

const channelSchema = z.object({
  channel: z.object({
    is_member: z.boolean().default(false),
    is_im: z.boolean().default(false),
    is_archived: z.boolean().default(false),
  }),
});

/**
 * Asks `conversations.info`. A private channel that the bot is not in does not exist for it
 * (`channel_not_found`), and the same goes for direct messages between other people.
 *
 * @param botName as in `@fleetbot`, without the @
 */
export function createMembership(options: {
  client: WebClient;
  botName: () => string;
  clock: Clock;
  log: Logger;
}): Membership {
  const { client, botName, clock, log } = options;
  const memberUntil = new Map<string, number>();

  const notThere = (channel: string) =>
    channel.startsWith('D')
      ? `I cannot answer in direct messages between other people. Repeat the command in a direct message with @${botName()}, or in a channel.`
      : `I am not in this channel, so I could not answer here. Invite me with \`/invite @${botName()}\`, then repeat.`;

  async function look(channel: string): Promise<'inside' | 'outside' | { readonly failed: string }> {
    const now = clock();
    if ((memberUntil.get(channel) ?? 0) > now) return 'inside';
    memberUntil.delete(channel);
    try {
      const { channel: info } = channelSchema.parse(await client.conversations.info({ channel }));
      if ((!info.is_member && !info.is_im) || info.is_archived) return 'outside';
      memberUntil.set(channel, now + membershipCacheMs);
      return 'inside';
    } catch (error) {
      const code = slackErrorCode(error);
      if (code === 'channel_not_found') return 'outside';
      log.warn({ err: error, channel }, 'conversations.info failed');
      return { failed: code };
    }
  }

  return {
    async obstacle(channel) {
      const found = await look(channel);
      if (found === 'inside') return undefined;
      if (found === 'outside') return notThere(channel);
      return `Slack could not be asked whether I am in this channel (${found.failed}), so nothing was started. Try again in a minute.`;
    },
    isOutside: async (channel) => (await look(channel)) === 'outside',
  };
}
