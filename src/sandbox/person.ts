import { z } from 'zod';
import { SandboxError } from './child-process.ts';

const textObject = z.object({ text: z.string() });

const blockSchema = z.object({
  type: z.string(),
  block_id: z.string().optional(),
  text: textObject.optional(),
  fields: z.array(textObject).optional(),
  elements: z
    .array(
      z.object({
        type: z.string(),
        text: z.union([z.string(), textObject]).optional(),
        action_id: z.string().optional(),
        value: z.string().optional(),
        url: z.string().optional(),
      }),
    )
    .optional(),
});

const messageSchema = z.object({
  ts: z.string(),
  thread_ts: z.string().optional(),
  user: z.string().optional(),
  text: z.string().default(''),
  ephemeral_to: z.string().optional(),
  blocks: z.array(blockSchema).default([]),
  files: z.array(z.object({ name: z.string(), url_private: z.string().optional() })).default([]),
});

/** A message as the workspace shows it. */
export type SlackMessage = z.infer<typeof messageSchema>;

const requestTimeoutMs = 20_000;

/**
 * A person in local-slack without a browser: what they do reaches the bot over Slack's real wire (Socket
 * Mode). Source: the `/_control` calls of local-slack 0.1.8, which its own page uses too.
 */
export class Person {
  readonly #url: string;
  readonly #userId: string;

  constructor(slackUrl: string, userId: string) {
    this.#url = slackUrl;
    this.#userId = userId;
  }

  /** Types a slash command. Resolves when the bot has acknowledged it, or local-slack gave up waiting. */
  async type(channel: string, text: string): Promise<void> {
    await this.#post('command', { channel, command: '/fleet', text });
  }

  /** Writes a message. */
  async say(channel: string, text: string): Promise<void> {
    await this.#post('message', { channel, text });
  }

  /** Clicks a button that stands in a message. @throws SandboxError when there is none with this action id */
  async click(channel: string, message: SlackMessage, actionId: string): Promise<void> {
    for (const block of message.blocks) {
      const element = block.elements?.find((candidate) => candidate.action_id === actionId);
      if (!element) continue;
      const action = { type: 'button', action_id: actionId, block_id: block.block_id, value: element.value };
      await this.#post('interact', { channel, messageTs: message.ts, action });
      return;
    }
    throw new SandboxError(`The message has no button ${actionId}.`);
  }

  /** Everything in the channel that this person sees, oldest first, threads included. */
  async messages(channel: string): Promise<SlackMessage[]> {
    const response = await fetch(`${this.#url}/_control/messages/${channel}`, {
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const { messages } = z.object({ messages: z.array(messageSchema) }).parse(await response.json());
    return messages.filter(({ ephemeral_to: to }) => to === undefined || to === this.#userId);
  }

  async #post(call: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    const response = await fetch(`${this.#url}/_control/${call}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, user: this.#userId }),
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    if (!response.ok) throw new SandboxError(`local-slack refused ${call}: ${await response.text()}`);
  }
}

/** A message as plain text, a line a block, for terminals and tests. */
export function messageText(message: SlackMessage): string {
  const lines = message.blocks.flatMap((block) => [
    ...(block.text ? [block.text.text] : []),
    ...(block.fields ?? []).map((field) => field.text),
    ...(block.elements ?? []).flatMap(({ type, text }) => {
      const label = typeof text === 'string' ? text : text?.text;
      if (label === undefined) return [];
      return [type === 'button' ? `[${label}]` : label];
    }),
    ...(block.type === 'divider' ? ['---'] : []),
  ]);
  const files = message.files.map(({ name }) => `[file ${name}]`);
  return [...(lines.length > 0 ? lines : [message.text]), ...files].join('\n');
}
