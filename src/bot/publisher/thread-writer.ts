import type { Logger } from 'pino';
import type { Clock, DirtyView, Posted, Views } from '../ports.ts';
import { givenUp, type Home } from './home.ts';
import { digestOf, type MessagePart, type Part, type Parts, type Standing } from './part.ts';
import type { PublisherSettings } from './settings.ts';
import type { Place, SlackDesk } from './slack-desk.ts';
import type { Outcome, SlackProblem } from './slack-problem.ts';

/** What the writer works with. */
export interface WriterTools {
  readonly desk: SlackDesk;
  readonly views: Views;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: PublisherSettings;
}

/** Name of the note that a part was posted a second time, after people had deleted it. */
const again = (name: string) => `${name}:again`;
/** The channel of a part that does not stand in the record's thread. */
const elsewhere = (part: Part) => (part.kind === 'message' ? part.elsewhere : undefined);
const priorityOrder = { decision: 0, verdict: 1, progress: 2 } as const;

/**
 * Brings one record's messages up to date while its view is leased. A part is posted only after an intent is
 * stored, and a part with an old intent is looked for before it is posted: whatever was killed in between,
 * it stands in Slack once.
 */
export class ThreadWriter {
  readonly #tools: WriterTools;
  readonly #dirty: DirtyView;
  readonly #notAfterMs: number;
  #home: Home;
  #standing: Record<string, Standing[string]>;

  constructor(tools: WriterTools, dirty: DirtyView, home: Home, standing: Standing, notAfterMs: number) {
    this.#tools = tools;
    this.#dirty = dirty;
    this.#home = home;
    this.#standing = { ...standing };
    this.#notAfterMs = notAfterMs;
  }

  /**
   * The main message first if there is none, because it is the root of the thread; then by priority. A part
   * that must wait does not hold up the others.
   * @returns what is in the way of the parts that are not up to date
   */
  async write(parts: Parts): Promise<readonly SlackProblem[]> {
    const { main, thread } = parts;
    if (this.#posted(main.name) === undefined) {
      const problem = await this.#bring(main, main);
      if (problem?.kind === 'unreachable') return [problem];
      if (problem !== undefined) return [problem, ...(await this.writeElsewhere(parts))];
    }
    return this.#bringEach([main, ...thread], main);
  }

  /** Only what does not stand in the record's thread, and so need not wait for one. */
  async writeElsewhere({ main, thread }: Parts): Promise<readonly SlackProblem[]> {
    return this.#bringEach(
      thread.filter((part) => elsewhere(part) !== undefined),
      main,
    );
  }

  async #bringEach(parts: readonly Part[], main: MessagePart): Promise<readonly SlackProblem[]> {
    const problems: SlackProblem[] = [];
    for (const part of parts.toSorted((a, b) => priorityOrder[a.priority] - priorityOrder[b.priority])) {
      const problem = await this.#bring(part, main);
      if (problem !== undefined) problems.push(problem);
      if (problem?.kind === 'unreachable') break;
    }
    return problems;
  }

  #posted(name: string): Posted | undefined {
    return this.#standing[name]?.posted;
  }

  async #bring(part: Part, main: MessagePart): Promise<SlackProblem | undefined> {
    if (part !== main && this.#posted(main.name)?.ts === givenUp) return undefined;
    const posted = this.#posted(part.name);
    if (posted === undefined) return this.#postOnce(part, main, part.name);
    if (posted.ts === givenUp || part.kind === 'file' || posted.digest === digestOf(part)) return undefined;
    const edited = await this.#tools.desk.update(part.view, posted.ts, this.#place(part, main));
    if (edited.ok) {
      await this.#record(part.name, { ...posted, digest: digestOf(part) });
      return undefined;
    }
    return edited.problem.kind === 'gone' ? this.#postAgain(part, main) : edited.problem;
  }

  async #postOnce(part: Part, main: MessagePart, intent: string): Promise<SlackProblem | undefined> {
    const { clock, settings } = this.#tools;
    const intended = this.#standing[intent]?.intended;
    if (intended !== undefined) {
      const settled = intended + settings.settleMs - clock();
      if (settled > 0) return { kind: 'wait', ms: settled };
      const found = await this.#find(part, main, intended);
      if (!found.ok) return this.#orNewRoot(found.problem, part, main, intent);
      if (found.value !== undefined) {
        // What it shows is not known, so it is edited next.
        await this.#record(part.name, this.#postedAt(found.value, '', part, main));
        return this.#bring(part, main);
      }
    }
    const sent = await this.#send(part, main, async () => {
      if (intended === undefined) await this.#intend(intent);
    });
    if (!sent.ok) return this.#orNewRoot(sent.problem, part, main, intent);
    await this.#record(part.name, this.#postedAt(sent.value, digestOf(part), part, main));
    return undefined;
  }

  /**
   * Where the root of the thread was deleted it is posted anew, and the part under it the next time. A root that is
   * not ours to post is done without: the main message then begins a thread.
   */
  async #orNewRoot(
    problem: SlackProblem,
    part: Part,
    main: MessagePart,
    intent: string,
  ): Promise<SlackProblem | undefined> {
    if (problem.kind !== 'gone' || elsewhere(part) !== undefined) return problem;
    if (part !== main) return (await this.#postAgain(main, main)) ?? { kind: 'wait', ms: 0 };
    if (this.#home.threadTs === undefined) return problem;
    this.#home = { channel: this.#home.channel };
    return this.#postOnce(main, main, intent);
  }

  /** A person deleted the message: it is posted anew, once. */
  async #postAgain(part: MessagePart, main: MessagePart): Promise<SlackProblem | undefined> {
    const note = again(part.name);
    if (this.#posted(note) !== undefined) {
      this.#tools.log.info({ id: this.#dirty.id, part: part.name }, 'deleted in Slack twice: given up');
      await this.#record(part.name, { channel: this.#home.channel, ts: givenUp, digest: '' });
      return undefined;
    }
    const problem = await this.#postOnce(part, main, note);
    const posted = this.#posted(part.name);
    if (problem === undefined && posted !== undefined) await this.#record(note, posted);
    return problem;
  }

  #send(part: Part, main: MessagePart, before: () => Promise<void>): Promise<Outcome<string>> {
    const { desk } = this.#tools;
    const place = this.#place(part, main);
    if (part.kind === 'message') return desk.post(part.view, place, before);
    return desk.upload(part.file, { ...place, threadTs: place.threadTs ?? givenUp }, before);
  }

  #find(part: Part, main: MessagePart, sinceMs: number): Promise<Outcome<string | undefined>> {
    const { desk } = this.#tools;
    const place = this.#place(part, main);
    return part.kind === 'message'
      ? desk.findMessage(part.blockId, place, sinceMs)
      : desk.findFile(part.file.title, place, sinceMs);
  }

  #place(part: Part, main: MessagePart): Place {
    const other = elsewhere(part);
    if (other !== undefined) return { channel: other, priority: part.priority, notAfterMs: this.#notAfterMs };
    const { channel, threadTs } = this.#home;
    const root = threadTs ?? (part === main ? undefined : this.#posted(main.name)?.ts);
    const place = { channel, priority: part.priority, notAfterMs: this.#notAfterMs };
    return root === undefined ? place : { ...place, threadTs: root };
  }

  #postedAt(ts: string, digest: string, part: Part, main: MessagePart): Posted {
    const { channel, threadTs = ts } = this.#place(part, main);
    return { channel, ts, digest, thread: threadTs };
  }

  async #intend(name: string): Promise<void> {
    const at = this.#tools.clock();
    await this.#tools.views.intend(this.#dirty.id, name, at);
    this.#standing[name] = { intended: at };
  }

  async #record(name: string, posted: Posted): Promise<void> {
    await this.#tools.views.record(this.#dirty.id, name, posted);
    this.#standing[name] = { intended: this.#standing[name]?.intended ?? this.#tools.clock(), posted };
  }
}
