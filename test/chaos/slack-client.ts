import { createHmac } from 'node:crypto';
import { z } from 'zod';

/** What came back for one delivery. */
export interface Receipt {
  /**
   * `stored`: acknowledged without an error; `refused`: the person was told that nothing was done; `unclear`:
   * no answer, or one that says that it is not known.
   */
  readonly kind: 'stored' | 'refused' | 'unclear';
  readonly text: string;
  readonly at: number;
}

export const signingSecret = 'the-signing-secret-of-chaos';
export const teamId = 'T0TEAM';
/** Slack shows an error to the person after this. */
const slackPatienceMs = 3_000;
const answerSchema = z.object({ text: z.string() });
/** Sentences of ours that leave it open whether something was done. */
const open = /not certain|may or may not|Still storing|inside the bot/;

/** Delivers a slash command as Slack does: a signed form. Never throws. */
export async function sendCommand(
  port: number,
  command: {
    readonly trigger: string;
    readonly userId: string;
    readonly channel: string;
    readonly text: string;
  },
  responseUrl: string,
): Promise<Receipt> {
  const body = new URLSearchParams({
    command: '/fleet',
    text: command.text,
    user_id: command.userId,
    team_id: teamId,
    channel_id: command.channel,
    trigger_id: command.trigger,
    response_url: responseUrl,
  }).toString();
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  try {
    const response = await fetch(`http://127.0.0.1:${port}/slack/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${signature}`,
      },
      body,
      signal: AbortSignal.timeout(slackPatienceMs),
    });
    const text = await response.text();
    const at = Date.now();
    if (response.status !== 200) return { kind: 'unclear', text: `HTTP ${response.status} ${text}`, at };
    if (text === '') return { kind: 'stored', text, at };
    const told = answerSchema.parse(JSON.parse(text)).text;
    if (open.test(told)) return { kind: 'unclear', text: told, at };
    return { kind: told.startsWith(':x:') ? 'refused' : 'stored', text: told, at };
  } catch (error) {
    return { kind: 'unclear', text: error instanceof Error ? error.message : String(error), at: Date.now() };
  }
}
