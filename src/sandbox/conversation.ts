import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError } from './child-process.ts';
import { messageText, Person, type SlackMessage } from './person.ts';
import { workspace } from './workspace.ts';

const answerTimeoutMs = 90_000;
const pollMs = 200;

/** What people and the bot say in the sandbox's channel from some moment on. */
export class Conversation {
  readonly #slackUrl: string;
  readonly #since: ReadonlySet<string>;

  constructor(slackUrl: string, since: ReadonlySet<string>) {
    this.#slackUrl = slackUrl;
    this.#since = since;
  }

  /** One that begins at this moment. */
  static async now(slackUrl: string): Promise<Conversation> {
    const before = await new Person(slackUrl, workspace.sre.id).messages(workspace.channel.id);
    return new Conversation(slackUrl, new Set(before.map(({ ts }) => ts)));
  }

  /** One that begins with a command of the SRE. */
  static async begin(slackUrl: string, command: string): Promise<Conversation> {
    const conversation = await Conversation.now(slackUrl);
    await new Person(slackUrl, workspace.sre.id).type(workspace.channel.id, command);
    return conversation;
  }

  /** Waits until its text is as wanted. @throws SandboxError with what was said, when it never is */
  async until(isThere: (text: string) => boolean): Promise<{ messages: SlackMessage[]; text: string }> {
    const deadline = performance.now() + answerTimeoutMs;
    for (;;) {
      const said = await new Person(this.#slackUrl, workspace.sre.id).messages(workspace.channel.id);
      const messages = said.filter(({ ts }) => !this.#since.has(ts));
      const text = messages.map(messageText).join('\n\n');
      if (isThere(text)) return { messages, text };
      if (performance.now() > deadline) {
        throw new SandboxError(
          `No whole answer within ${answerTimeoutMs / 1_000} s. The channel shows:\n${text}`,
        );
      }
      await sleep(pollMs);
    }
  }

  /** Clicks a button in one of its messages. @throws SandboxError when none has it */
  async click(userId: string, actionId: string): Promise<void> {
    const { messages } = await this.until(() => true);
    const message = messages.find(({ blocks }) =>
      blocks.some(({ elements = [] }) => elements.some(({ action_id: id }) => id === actionId)),
    );
    if (message === undefined) throw new SandboxError(`No message has a button ${actionId}.`);
    await new Person(this.#slackUrl, userId).click(workspace.channel.id, message, actionId);
  }
}
