import { personBehind } from '../../fleet/requester.ts';
import type { DirtyView } from '../ports.ts';
import { cannotPostView } from '../views/cannot-post.ts';
import { homeOf } from './home.ts';
import type { Standing } from './part.ts';
import { RecordParts, type RecordTools, type Wanted } from './record-parts.ts';
import type { SlackProblem } from './slack-problem.ts';
import { ThreadWriter, type WriterTools } from './thread-writer.ts';

/** What the refresher works with. */
export type RefresherTools = WriterTools & RecordTools;

/** Slack's refusals that the person who asked can do something about. */
const curableCodes = new Set(['not_in_channel', 'channel_not_found', 'is_archived']);
const noticePart = 'notice';
/** Records that change whenever one of many things does. */
const coalescedKinds: ReadonlySet<DirtyView['kind']> = new Set(['campaign', 'halt', 'silence', 'incident']);

/** Brings leased views up to date, one call of `refresh` for each; what cannot be done now is postponed. */
export class Refresher {
  readonly #tools: RefresherTools;
  readonly #records: RecordParts;
  /** When a message may be edited again to show progress, and how often in a row a view failed. By view. */
  readonly #notBefore = new Map<string, number>();
  readonly #failures = new Map<string, number>();

  constructor(tools: RefresherTools) {
    this.#tools = tools;
    this.#records = new RecordParts(tools);
  }

  /** Never throws on account of Slack. @throws StoreUnavailableError; the lease then runs out */
  async refresh(dirty: DirtyView): Promise<void> {
    const { clock, settings, views } = this.#tools;
    const notAfterMs = clock() + settings.refreshLimitMs;
    const tooSoonMs = this.#tooSoonMs(dirty);
    if (tooSoonMs > 0) return views.postpone(dirty, tooSoonMs);
    const standing = await views.parts(dirty.id);
    const wanted = await this.#records.wanted(dirty, standing);
    if (wanted === undefined) return views.release(dirty);
    const found = await homeOf(wanted.origin, standing, { views, exists: (id) => this.#records.exists(id) });
    // Whatever people made of the thread: those on call are called.
    const anyway = found === 'unwanted' && dirty.kind === 'hand-over';
    const home = anyway || found === 'not-yet' ? { channel: wanted.origin.channel } : found;
    if (home === 'unwanted') return views.release(dirty);
    const writer = new ThreadWriter(this.#tools, dirty, home, standing, notAfterMs);
    if (found === 'not-yet') {
      const inTheWay = await writer.writeElsewhere(wanted.parts);
      return views.postpone(
        dirty,
        inTheWay.length === 0 ? settings.recheckMs : this.#delayMs(dirty, inTheWay),
      );
    }
    const problems = await writer.write(wanted.parts);
    this.#notBefore.set(dirty.id, clock() + (wanted.intervalMs ?? settings.progressIntervalMs));
    if (problems.length === 0) {
      this.#failures.delete(dirty.id);
      return views.release(dirty);
    }
    const delayMs = this.#delayMs(dirty, problems);
    await this.#tellOnce(dirty, wanted, standing, problems, notAfterMs);
    return views.postpone(dirty, delayMs);
  }

  /** Progress is coalesced: many changes in a short time become one edit. So is all of what many things change. */
  #tooSoonMs(dirty: DirtyView): number {
    const now = this.#tools.clock();
    for (const [id, at] of this.#notBefore) if (at <= now) this.#notBefore.delete(id);
    const coalesced = dirty.priority === 'progress' || coalescedKinds.has(dirty.kind);
    return coalesced ? (this.#notBefore.get(dirty.id) ?? now) - now : 0;
  }

  #delayMs(dirty: DirtyView, problems: readonly SlackProblem[]): number {
    const { log, settings } = this.#tools;
    const failures = this.#failures.get(dirty.id) ?? 0;
    const failed = problems.filter((p) => p.kind !== 'wait' && p.kind !== 'rate-limited');
    if (failed.length > 0) {
      this.#failures.set(dirty.id, failures + 1);
      log.warn({ id: dirty.id, problems: failed, failures: failures + 1 }, 'view postponed');
    }
    const delays = problems.map((problem) => {
      if (problem.kind === 'wait') return Math.min(problem.ms, settings.recheckMs);
      if (problem.kind === 'rate-limited') return Math.min(problem.retryAfterMs, settings.recheckMs);
      const [first, longest] = problem.kind === 'unreachable' ? settings.unreachableMs : settings.refusedMs;
      return Math.min(longest, first * 2 ** failures);
    });
    return Math.min(...delays);
  }

  /** Tells the person who asked, once, what keeps the answer from appearing. */
  async #tellOnce(
    dirty: DirtyView,
    { origin, requester }: Wanted,
    standing: Standing,
    problems: readonly SlackProblem[],
    notAfterMs: number,
  ): Promise<void> {
    const problem = problems.find((p) => p.kind === 'refused' && curableCodes.has(p.code));
    const person = requester && personBehind(requester);
    if (problem?.kind !== 'refused' || person === undefined || standing[noticePart] !== undefined) return;
    const { clock, desk, log, views } = this.#tools;
    const place = { channel: origin.channel, priority: dirty.priority, notAfterMs };
    const botName = await desk.name(place);
    if (!botName.ok) return;
    await views.intend(dirty.id, noticePart, clock());
    const view = cannotPostView({
      id: dirty.id,
      channel: origin.channel,
      code: problem.code,
      botName: botName.value,
    });
    const told = await desk.tell(person.userId, view, place);
    if (!told.ok) log.warn({ id: dirty.id, problem: told.problem }, 'the person who asked could not be told');
  }
}
