import { expect } from 'vitest';
import type { Run } from '../../../src/fleet/run.ts';
import type { Queue } from '../../../src/queue/create-queue.ts';
import { messageText, Person, type SlackMessage } from '../../../src/sandbox/person.ts';
import { workspace } from '../../../src/sandbox/workspace.ts';
import { eventually } from './eventually.ts';

const { id: channel } = workspace.channel;
const mainBlock = /^(?:run|campaign):([rc]-[a-z0-9]+):main$/;

/** The record whose main message this is. */
function recordOf(message: SlackMessage): string | undefined {
  return message.blocks
    .map((block) => mainBlock.exec(block.block_id ?? '')?.[1])
    .find((id) => id !== undefined);
}

/** One person at the channel: what they type, click and read. */
export class Channel {
  readonly #person: Person;
  readonly #queue: Queue;

  constructor(slackUrl: string, userId: string, queue: Queue) {
    this.#person = new Person(slackUrl, userId);
    this.#queue = queue;
  }

  messages(): Promise<SlackMessage[]> {
    return this.#person.messages(channel);
  }

  /** The ids of the runs and campaigns that have a message, one for each message. */
  async records(): Promise<string[]> {
    return (await this.messages()).flatMap((message) => recordOf(message) ?? []);
  }

  /** Types a command and resolves with the run or campaign whose message appears. */
  async ask(text: string): Promise<Answer> {
    const before = await this.records();
    await this.#person.type(channel, text);
    const id = await eventually(async () => {
      const [first] = (await this.records()).filter((record) => !before.includes(record));
      if (first === undefined) throw new Error(`no message appears for: ${text}`);
      return first;
    });
    return new Answer(id, this.#person, this.#queue);
  }

  /** Types a command and resolves with what only this person is told. */
  async askAside(text: string): Promise<string> {
    const seen = new Set((await this.#whispers()).map(({ ts }) => ts));
    await this.#person.type(channel, text);
    return eventually(async () => {
      const [told] = (await this.#whispers()).filter(({ ts }) => !seen.has(ts));
      if (told === undefined) throw new Error(`nobody is told anything about: ${text}`);
      return messageText(told);
    });
  }

  /** Types a command and resolves with the first new message in the channel that matches. */
  async tell(text: string, message: RegExp): Promise<string> {
    const seen = new Set((await this.messages()).map(({ ts }) => ts));
    await this.#person.type(channel, text);
    return eventually(async () => {
      const found = (await this.messages()).find(
        (each) => !seen.has(each.ts) && message.test(messageText(each)),
      );
      if (found === undefined) throw new Error(`no message like ${message} appears for: ${text}`);
      return messageText(found);
    });
  }

  /** Waits until a message in the channel matches; resolves with its text. */
  reads(message: RegExp): Promise<string> {
    return eventually(async () => {
      const texts = (await this.messages()).map(messageText);
      const found = texts.find((text) => message.test(text));
      if (found === undefined) throw new Error(`no message like ${message} among: ${texts.join(' | ')}`);
      return found;
    });
  }

  /** The answer to a run that is known already. */
  answer(runId: string): Answer {
    return new Answer(runId, this.#person, this.#queue);
  }

  async #whispers(): Promise<SlackMessage[]> {
    return (await this.messages()).filter(({ ephemeral_to: to }) => to !== undefined);
  }
}

/** What a person sees of one run or campaign. */
export class Answer {
  readonly id: string;
  readonly #person: Person;
  readonly #queue: Queue;

  constructor(id: string, person: Person, queue: Queue) {
    this.id = id;
    this.#person = person;
    this.#queue = queue;
  }

  /** The record of a run. */
  async run(): Promise<Run> {
    const run = await this.#queue.requests.run(this.id);
    if (!run) throw new Error(`${this.id} is not stored`);
    return run;
  }

  /** Resolves once the run is in the state. */
  async reaches(state: Run['state']): Promise<void> {
    await eventually(async () => expect((await this.run()).state).toBe(state));
  }

  async click(actionId: string): Promise<void> {
    await this.#person.click(channel, (await this.#shown()).main, actionId);
  }

  /** The main message as it is now. */
  async main(): Promise<string> {
    return messageText((await this.#shown()).main);
  }

  /**
   * Waits until the run is done and all that was meant to be posted is; asserts that each message stands there
   * once. Resolves with the text of the main message and of its thread.
   */
  async ended(): Promise<{ main: string; thread: string; run: Run }> {
    return eventually(async () => {
      const run = await this.run();
      expect(run.state).toBe('done');
      await this.#expectPosted(run);
      // Read after everything was posted.
      const { main, thread } = await this.#shown();
      const text = messageText(main);
      expect(text).toContain('[Run again]');
      return { main: text, thread: thread.map(messageText).join('\n\n'), run };
    });
  }

  /** Waits until every run of the campaign is done; resolves with its message and the entries in its thread. */
  async campaignEnded(): Promise<{ main: string; thread: SlackMessage[] }> {
    return eventually(async () => {
      const { main, thread } = await this.#shown();
      expect(messageText(main)).toMatch(/all \d+ machines done/);
      const parts = await this.#queue.views.parts(this.id);
      // The last that is posted.
      expect(Object.keys(parts)).toContain('file:machines:json');
      expect(Object.values(parts).filter(({ posted }) => posted === undefined)).toEqual([]);
      expect(thread).toHaveLength(Object.keys(parts).length - 1);
      return { main: messageText(main), thread };
    });
  }

  async #expectPosted(run: Run): Promise<void> {
    const parts = await this.#queue.views.parts(run.id);
    const missing = Object.values(parts).filter(({ posted }) => posted === undefined);
    expect(missing).toEqual([]);
    expect('verdict' in parts).toBe(run.findings.length > 0);
    const spoke = run.diagnosis?.comment !== undefined || run.diagnosis?.failure !== undefined;
    expect('diagnosis' in parts).toBe(spoke);
    const { thread } = await this.#shown();
    expect(thread).toHaveLength(Object.keys(parts).length - 1);
  }

  /** The one main message and its thread. @throws when there is none, or more than one */
  async #shown(): Promise<{ main: SlackMessage; thread: SlackMessage[] }> {
    const messages = await this.#person.messages(channel);
    const [main, ...others] = messages.filter((message) => recordOf(message) === this.id);
    if (main === undefined || others.length > 0) {
      throw new Error(`${this.id} has ${main === undefined ? 0 : others.length + 1} main messages`);
    }
    const thread = messages.filter(({ ts, thread_ts: root }) => root === main.ts && ts !== main.ts);
    return { main, thread };
  }
}
