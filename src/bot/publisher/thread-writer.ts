import type { Logger } from 'pino';
import type { Origin } from '../../fleet/request.ts';
import type { Clock, DirtyView, Posted, Views } from '../ports.ts';
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

/** `ts` of a part that people deleted twice: they do not want it, so it is not posted a third time. */
const givenUp = '';
/** Name of the note that a part was posted a second time, after people had deleted it. */
const again = (name: string) => `${name}:again`;
const priorityOrder = { decision: 0, verdict: 1, progress: 2 } as const;

/**
 * Brings one record's messages up to date while its view is leased. A part is posted only after an intent is
 * stored, and a part with an old intent is looked for before it is posted: whatever was killed in between,
 * it stands in Slack once.
 */
export class ThreadWriter {
  readonly #tools: WriterTools;
  readonly #dirty: DirtyView;
  readonly #origin: Origin;
  readonly #notAfterMs: number;
  #standing: Record<string, Standing[string]>;

  constructor(tools: WriterTools, dirty: DirtyView, origin: Origin, standing: Standing, notAfterMs: number) {
    this.#tools = tools;
    this.#dirty = dirty;
    this.#origin = origin;
    this.#standing = { ...standing };
    this.#notAfterMs = notAfterMs;
  }

  /**
   * The main message first if there is none, because it is the root of the thread; then by priority. A part
   * that must wait does not hold up the others.
   * @returns what is in the way of the parts that are not up to date
   */
  async write({ main, thread }: Parts): Promise<readonly SlackProblem[]> {
    if (this.#posted(main.name) === undefined) {
      const problem = await this.#bring(main, main);
      if (problem !== undefined) return [problem];
    }
    const problems: SlackProblem[] = [];
    const ordered = [main, ...thread].toSorted(
      (a, b) => priorityOrder[a.priority] - priorityOrder[b.priority],
    );
    for (const part of ordered) {
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
      if (!found.ok) return this.#orNewRoot(found.problem, part, main);
      if (found.value !== undefined) {
        // What it shows is not known, so it is edited next.
        await this.#record(part.name, this.#postedAt(found.value, ''));
        return this.#bring(part, main);
      }
    }
    const sent = await this.#send(part, main, async () => {
      if (intended === undefined) await this.#intend(intent);
    });
    if (!sent.ok) return this.#orNewRoot(sent.problem, part, main);
    await this.#record(part.name, this.#postedAt(sent.value, digestOf(part)));
    return undefined;
  }

  /** Where the root of the thread was deleted it is posted anew, and the part under it the next time. */
  async #orNewRoot(problem: SlackProblem, part: Part, main: MessagePart): Promise<SlackProblem> {
    if (problem.kind !== 'gone' || part === main) return problem;
    return (await this.#postAgain(main, main)) ?? { kind: 'wait', ms: 0 };
  }

  /** A person deleted the message: it is posted anew, once. */
  async #postAgain(part: MessagePart, main: MessagePart): Promise<SlackProblem | undefined> {
    const note = again(part.name);
    if (this.#posted(note) !== undefined) {
      this.#tools.log.info({ id: this.#dirty.id, part: part.name }, 'deleted in Slack twice: given up');
      await this.#record(part.name, this.#postedAt(givenUp, ''));
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
    const { channel, threadTs } = this.#origin;
    const root = threadTs ?? (part === main ? undefined : this.#posted(main.name)?.ts);
    const place = { channel, priority: part.priority, notAfterMs: this.#notAfterMs };
    return root === undefined ? place : { ...place, threadTs: root };
  }

  #postedAt(ts: string, digest: string): Posted {
    return { channel: this.#origin.channel, ts, digest };
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
