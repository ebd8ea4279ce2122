import { setTimeout as sleep } from 'node:timers/promises';
import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type FleetbotError, InputError } from '../fleet/errors.ts';
import type { SlackBudget } from './ports.ts';
import { slackProblem } from './publisher/slack-problem.ts';
import type { FileContent, View } from './views/view.ts';

/** How long one message or file waits for its turn: the person who asked for it is told after this. */
const turnMaxMs = 60_000;
const priority = 'progress';

const postedSchema = z.object({ channel: z.string() });

/**
 * Sends files to one person, in their own conversation with us, under a message.
 * @param userId Slack id; the conversation is opened if there is none
 * @throws InputError with a sentence for the person, where Slack refuses or does not answer: some may have arrived
 */
export type SendFiles = (userId: string, view: View, files: readonly FileContent[]) => Promise<void>;

export function createSendFiles(tools: {
  readonly client: WebClient;
  readonly budget: SlackBudget;
  readonly log: Logger;
}): SendFiles {
  const { client, budget, log } = tools;

  /** Calls when it is the method's turn, again where Slack wants a pause: such a call was not carried out. */
  async function call<Answer>(method: string, channel: string, send: () => Promise<Answer>): Promise<Answer> {
    let left = turnMaxMs;
    for (;;) {
      const waitMs = await budget.take(method, channel, priority);
      if (waitMs === 0) {
        try {
          return await send();
        } catch (error) {
          const problem = slackProblem(error);
          if (problem.kind !== 'rate-limited') throw notSent(error);
          await budget.block(method, channel, problem.retryAfterMs);
          continue;
        }
      }
      left -= waitMs;
      if (left < 0)
        throw new InputError('Slack takes no more messages at the moment. Ask again in a minute.');
      await sleep(waitMs);
    }
  }

  function notSent(error: unknown): FleetbotError {
    log.warn({ err: error }, 'files could not be sent to a person');
    return new InputError(
      'The files could not be sent to you in a direct message. Look whether the app may write to you there (its *Messages* tab), then ask again.',
      { cause: error },
    );
  }

  return async (userId, view, files) => {
    const posted = await call('chat.postMessage', userId, () =>
      client.chat.postMessage({ channel: userId, ...view, parse: 'none' }),
    );
    // A file goes only to the id of the conversation, which the message has opened.
    const { channel } = postedSchema.parse(posted);
    for (const { filename, title, content } of files) {
      await call('files.uploadV2', channel, () =>
        client.files.uploadV2({ channel_id: channel, filename, title, content }),
      );
    }
  };
}
