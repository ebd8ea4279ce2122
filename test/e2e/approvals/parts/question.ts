import { expect } from 'vitest';
import type { Run, RunState } from '../../../../src/fleet/run.ts';
import type { Queue } from '../../../../src/queue/create-queue.ts';
import { messageText, Person, type SlackMessage } from '../../../../src/sandbox/person.ts';
import { workspace } from '../../../../src/sandbox/workspace.ts';
import { eventually } from '../../parts/eventually.ts';

const { id: channel } = workspace.channel;

/** What a run asks of people, as the channel shows it and as its record has it. */
export class Question {
  readonly runId: string;
  readonly #slackUrl: string;
  readonly #queue: Queue;
  /** As people still have it on their screens. */
  #card: SlackMessage | undefined;

  constructor(runId: string, slackUrl: string, queue: Queue) {
    this.runId = runId;
    this.#slackUrl = slackUrl;
    this.#queue = queue;
  }

  async run(): Promise<Run> {
    const run = await this.#queue.requests.run(this.runId);
    if (!run) throw new Error(`${this.runId} is not stored`);
    return run;
  }

  /** Resolves once the run is in the state. */
  reaches(state: RunState): Promise<Run> {
    return eventually(async () => {
      const run = await this.run();
      expect(run.state).toBe(state);
      return run;
    });
  }

  /** The card, once it stands there with its buttons. */
  asked(): Promise<string> {
    return eventually(async () => {
      const card = await this.#message('approval');
      expect(messageText(card)).toContain('[Deny]');
      this.#card = card;
      return messageText(card);
    });
  }

  /** Waits until the run is done and everything stands in Slack as its record is; each of it once. */
  ended(): Promise<{ run: Run; card: string; outcome: string }> {
    return eventually(async () => {
      const run = await this.run();
      expect(run.state).toBe('done');
      const parts = await this.#queue.views.parts(this.runId);
      expect(Object.values(parts).filter(({ posted }) => posted === undefined)).toEqual([]);
      const card = await this.#part('approval');
      expect(card).not.toContain('[Deny]');
      const outcome = run.action === undefined ? '' : await this.#part('outcome');
      if (run.action?.after) expect(outcome).toContain('*After*');
      expect(await this.#part('main')).toContain('[Run again]');
      return { run, card, outcome };
    });
  }

  /** Waits until a message in the channel, or in a thread of it, matches. */
  async says(words: RegExp): Promise<void> {
    await eventually(async () => {
      const texts = (await this.#messages(workspace.sre.id)).map(messageText);
      if (!texts.some((text) => words.test(text)))
        throw new Error(`nothing like ${words}: ${texts.join(' | ')}`);
    });
  }

  /** Each of these people clicks the button of the card as it was when it asked, all at once. */
  async click(people: readonly string[], button: 'approve' | 'deny' | 'approval-details'): Promise<void> {
    const card = this.#card;
    if (!card) throw new Error(`nobody has seen the card of ${this.runId}`);
    await Promise.all(people.map((id) => new Person(this.#slackUrl, id).click(channel, card, button)));
  }

  /** Clicks Undo under the outcome; resolves with the question that this leads to. */
  async undo(userId: string): Promise<Question> {
    await new Person(this.#slackUrl, userId).click(channel, await this.#message('outcome'), 'undo');
    const { machine } = (await this.run()).request;
    return eventually(async () => {
      const [next] = await this.#queue.requests.runs({ machine, limit: 1 });
      expect(next?.request.eventId).toContain(`undo:${this.runId}`);
      return new Question(next?.id ?? '', this.#slackUrl, this.#queue);
    });
  }

  /** What only this person was told since the card stands there. */
  async told(userId: string): Promise<string> {
    const since = Number(this.#card?.ts ?? 0);
    const messages = await this.#messages(userId);
    return messages
      .filter(({ ts, ephemeral_to: to }) => to !== undefined && Number(ts) > since)
      .map(messageText)
      .join('\n');
  }

  /** The text of the run's one message of this kind. */
  async #part(name: string): Promise<string> {
    return messageText(await this.#message(name));
  }

  async #message(name: string): Promise<SlackMessage> {
    const wanted = `run:${this.runId}:${name}`;
    const messages = await this.#messages(workspace.sre.id);
    const found = messages.filter(({ blocks }) => blocks.some(({ block_id: id }) => id === wanted));
    const [message] = found;
    if (message === undefined || found.length > 1) throw new Error(`${found.length} messages are ${wanted}`);
    return message;
  }

  #messages(userId: string): Promise<SlackMessage[]> {
    return new Person(this.#slackUrl, userId).messages(channel);
  }
}
