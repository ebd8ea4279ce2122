import { type Halt, haltOf } from '../../fleet/halt.ts';
import type { Origin } from '../../fleet/request.ts';
import { personBehind, type Requester } from '../../fleet/requester.ts';
import type { Run } from '../../fleet/run.ts';
import type { DirtyView, FleetSource, Halts, LinkTo, Notices, Requests } from '../ports.ts';
import { cannotPostView } from '../views/cannot-post.ts';
import type { Parts, Standing } from './part.ts';
import { campaignParts, haltParts, noticeParts, type PartTools, runParts } from './parts.ts';
import type { SlackProblem } from './slack-problem.ts';
import { ThreadWriter, type WriterTools } from './thread-writer.ts';

export interface RefresherTools extends WriterTools {
  readonly fleet: FleetSource;
  readonly requests: Requests;
  readonly halts: Halts;
  readonly notices: Notices;
  readonly linkTo: LinkTo;
}

/** What should stand in Slack for a record, where, and for whom. */
interface Wanted {
  readonly parts: Parts;
  readonly origin: Origin;
  /** undefined where nobody asked. */
  readonly requester: Requester | undefined;
}

/** Slack's refusals that the person who asked can do something about. */
const curableCodes = new Set(['not_in_channel', 'channel_not_found', 'is_archived']);
const noticePart = 'notice';
/** Runs loaded at the same time for a campaign. */
const loadedTogether = 50;

/** Brings leased views up to date, one call of `refresh` for each; what cannot be done now is postponed. */
export class Refresher {
  readonly #tools: RefresherTools;
  /** When a message was last edited to show progress, and how often in a row a view failed. By view. */
  readonly #editedAt = new Map<string, number>();
  readonly #failures = new Map<string, number>();

  constructor(tools: RefresherTools) {
    this.#tools = tools;
  }

  /** Never throws on account of Slack. @throws StoreUnavailableError; the lease then runs out */
  async refresh(dirty: DirtyView): Promise<void> {
    const { clock, settings, views } = this.#tools;
    const notAfterMs = clock() + settings.refreshLimitMs;
    const tooSoonMs = this.#tooSoonMs(dirty);
    if (tooSoonMs > 0) return views.postpone(dirty, tooSoonMs);
    const standing = await views.parts(dirty.id);
    const wanted = await this.#wanted(dirty, standing);
    if (wanted === undefined) return views.release(dirty);
    const writer = new ThreadWriter(this.#tools, dirty, wanted.origin, standing, notAfterMs);
    const problems = await writer.write(wanted.parts);
    this.#editedAt.set(dirty.id, clock());
    if (problems.length === 0) {
      this.#failures.delete(dirty.id);
      return views.release(dirty);
    }
    const delayMs = this.#delayMs(dirty, problems);
    await this.#tellOnce(dirty, wanted, standing, problems, notAfterMs);
    return views.postpone(dirty, delayMs);
  }

  /** Progress is coalesced: many changes in a short time become one edit. So is all of a campaign's or halt's. */
  #tooSoonMs(dirty: DirtyView): number {
    const { clock, settings } = this.#tools;
    const now = clock();
    for (const [id, at] of this.#editedAt) {
      if (now - at >= settings.progressIntervalMs) this.#editedAt.delete(id);
    }
    const coalesced = dirty.priority === 'progress' || dirty.kind === 'campaign' || dirty.kind === 'halt';
    const last = coalesced ? this.#editedAt.get(dirty.id) : undefined;
    return last === undefined ? 0 : last + settings.progressIntervalMs - now;
  }

  async #wanted(dirty: DirtyView, standing: Standing): Promise<Wanted | undefined> {
    switch (dirty.kind) {
      case 'run':
        return this.#run(dirty);
      case 'campaign':
        return this.#campaign(dirty.id, standing);
      case 'halt':
        return this.#halt(dirty.id);
      case 'notice':
        return this.#notice(dirty);
    }
  }

  async #run({ id, priority }: DirtyView): Promise<Wanted | undefined> {
    const run = await this.#tools.requests.run(id);
    // A campaign's runs show in the campaign's thread.
    if (run === undefined || run.request.campaign !== undefined) return undefined;
    const { origin, requester } = run.request;
    const halt = run.state === 'queued' ? await this.#haltOf(run.request.machine) : undefined;
    return { parts: runParts(run, this.#partTools(), priority, halt), origin, requester };
  }

  async #campaign(id: string, standing: Standing): Promise<Wanted | undefined> {
    const found = await this.#tools.requests.campaign(id);
    if (found === undefined) return undefined;
    const { origin, requester } = found.campaign;
    const parts = await campaignParts(found, standing, this.#partTools(), (ids) => this.#loadRuns(ids));
    return { parts, origin, requester };
  }

  async #halt(id: string): Promise<Wanted | undefined> {
    const found = await this.#tools.halts.halt(id);
    if (found === undefined) return undefined;
    const { origin, by } = found.halt;
    return { parts: haltParts(found, this.#tools.fleet.current().machines), origin, requester: by };
  }

  async #notice({ id, priority }: DirtyView): Promise<Wanted | undefined> {
    const notice = await this.#tools.notices.notice(id);
    if (notice === undefined) return undefined;
    const origin = { channel: notice.channel };
    return { parts: noticeParts(notice, priority), origin, requester: undefined };
  }

  #partTools(): PartTools {
    const { fleet, linkTo } = this.#tools;
    return { linkTo, catalogue: fleet.current().actions };
  }

  async #haltOf(name: string): Promise<Halt | undefined> {
    const machine = this.#tools.fleet.current().machines.get(name);
    return machine === undefined ? undefined : haltOf(await this.#tools.halts.active(), machine);
  }

  async #loadRuns(runIds: readonly string[]): Promise<readonly Run[]> {
    const loaded: (Run | undefined)[] = [];
    for (let from = 0; from < runIds.length; from += loadedTogether) {
      const batch = runIds.slice(from, from + loadedTogether);
      loaded.push(...(await Promise.all(batch.map((id) => this.#tools.requests.run(id)))));
    }
    return loaded.filter((run) => run !== undefined);
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
