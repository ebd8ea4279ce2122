import type { Campaign } from '../../fleet/campaign.ts';
import { isOpen, waitingOf } from '../../fleet/campaign-step.ts';
import { type Halt, haltOf } from '../../fleet/halt.ts';
import { allHalted, haltedAmong } from '../../fleet/halted-among.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Origin } from '../../fleet/request.ts';
import { personBehind, type Requester } from '../../fleet/requester.ts';
import type { Run } from '../../fleet/run.ts';
import { parseSelector } from '../../fleet/selector.ts';
import { type Silence, silencer } from '../../fleet/silence.ts';
import type {
  CampaignMember,
  DirtyView,
  FleetSource,
  Halts,
  HandOvers,
  Incidents,
  LinkTo,
  Notices,
  Requests,
  Silences,
} from '../ports.ts';
import type { Threads } from '../threads.ts';
import { cannotPostView } from '../views/cannot-post.ts';
import type { StillSilenced } from '../views/silence-main.ts';
import { digestParts } from './digest-parts.ts';
import { handOverParts } from './hand-over-parts.ts';
import { homeOf } from './home.ts';
import type { Parts, Standing } from './part.ts';
import {
  campaignParts,
  haltParts,
  incidentParts,
  noticeParts,
  type PartTools,
  peerParts,
  runParts,
  silenceParts,
} from './parts.ts';
import type { SlackProblem } from './slack-problem.ts';
import { ThreadWriter, type WriterTools } from './thread-writer.ts';

export interface RefresherTools extends WriterTools {
  readonly fleet: FleetSource;
  readonly requests: Requests;
  readonly halts: Halts;
  readonly handOvers: Pick<HandOvers, 'handOver'>;
  readonly threads: Pick<Threads, 'link'>;
  readonly silences: Silences;
  readonly notices: Notices;
  readonly incidents: Incidents;
  readonly linkTo: LinkTo;
}

/** What should stand in Slack for a record, where, and for whom. */
interface Wanted {
  readonly parts: Parts;
  readonly origin: Origin;
  /** undefined where nobody asked. */
  readonly requester: Requester | undefined;
  /** Least time until its message is edited again, where that is not `progressIntervalMs`. */
  readonly intervalMs?: number;
}

/** Slack's refusals that the person who asked can do something about. */
const curableCodes = new Set(['not_in_channel', 'channel_not_found', 'is_archived']);
const noticePart = 'notice';
/** Records that change whenever one of many things does. */
const coalescedKinds: ReadonlySet<DirtyView['kind']> = new Set(['campaign', 'halt', 'silence', 'incident']);
/** Runs loaded at the same time for a campaign. */
const loadedTogether = 50;

/** Brings leased views up to date, one call of `refresh` for each; what cannot be done now is postponed. */
export class Refresher {
  readonly #tools: RefresherTools;
  /** When a message may be edited again to show progress, and how often in a row a view failed. By view. */
  readonly #notBefore = new Map<string, number>();
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
    const found = await homeOf(wanted.origin, standing, { views, exists: (id) => this.#exists(id) });
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
      case 'hand-over':
        return this.#handOver(dirty.id, standing);
      case 'silence':
        return this.#silence(dirty.id);
      case 'incident':
        return this.#incident(dirty);
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
    if (requester.kind === 'supervisor') {
      const runs = await this.#loadRuns(found.members.map(({ runId }) => runId));
      const asking = await this.#tools.requests.run(requester.run);
      return { parts: peerParts({ ...found, asking, runs }), origin, requester };
    }
    const loadRuns = (ids: readonly string[]): Promise<readonly Run[]> => this.#loadRuns(ids);
    const halted = await this.#haltedOf(found);
    const ofCampaign = async (): Promise<Parts> =>
      campaignParts(found, standing, {
        ...this.#partTools(),
        now: this.#tools.clock(),
        ...{ halted, loadRuns },
      });
    if (requester.kind === 'schedule') {
      const before = found.campaign.previous;
      const previous = before === undefined ? undefined : await this.#tools.requests.campaign(before);
      const digest = await digestParts({ ...found, previous, halted }, standing, ofCampaign, loadRuns);
      return digest && { parts: digest, origin, requester };
    }
    return { parts: await ofCampaign(), origin, requester };
  }

  /** The machines of a campaign that wait for their turn and are halted; those that wait for their wave if all are. */
  async #haltedOf({
    campaign,
    members,
  }: {
    readonly campaign: Campaign;
    readonly members: readonly CampaignMember[];
  }): Promise<ReadonlyMap<Halt, readonly Machine[]>> {
    const { fleet, halts } = this.#tools;
    const { machines } = fleet.current();
    const queued = members.flatMap(({ state, machine }) => (state === 'queued' ? [machine] : []));
    const waiting = isOpen(campaign) ? waitingOf(campaign) : [];
    if (queued.length + waiting.length === 0) return new Map();
    const known = (names: readonly string[]) => names.flatMap((name) => machines.get(name) ?? []);
    const active = await halts.active();
    const held = allHalted(known(waiting), active) ? known(waiting) : [];
    return haltedAmong([...known(queued), ...held], active);
  }

  async #halt(id: string): Promise<Wanted | undefined> {
    const found = await this.#tools.halts.halt(id);
    if (found === undefined) return undefined;
    const { origin, by } = found.halt;
    return { parts: haltParts(found, this.#tools.fleet.current().machines), origin, requester: by };
  }

  async #silence(id: string): Promise<Wanted | undefined> {
    const found = await this.#tools.silences.silence(id);
    if (found?.silence.origin === undefined) return undefined;
    const parts = silenceParts(found, found.over ? await this.#stillSilenced(found.silence) : []);
    if (parts === undefined) return undefined;
    const { origin, by } = found.silence;
    return { parts, origin, requester: by.kind === 'person' ? by : undefined };
  }

  /** Those of its machines for which another one holds. */
  async #stillSilenced({ id, machines }: Silence): Promise<readonly StillSilenced[]> {
    const { clock, fleet, silences } = this.#tools;
    const matched = [...fleet.current().machines.values()].filter(parseSelector(machines));
    const others = (await silences.holding()).filter((other) => other.id !== id);
    const groups = [...Map.groupBy(matched, silencer(others, clock()))];
    return groups.flatMap(([silence, those]) => (silence ? [{ silence, machines: those }] : []));
  }

  async #notice({ id, priority }: DirtyView): Promise<Wanted | undefined> {
    const notice = await this.#tools.notices.notice(id);
    if (notice === undefined) return undefined;
    const origin = { channel: notice.channel };
    return { parts: noticeParts(notice, priority), origin, requester: undefined };
  }

  async #incident({ id, priority }: DirtyView): Promise<Wanted | undefined> {
    const { incidents, settings } = this.#tools;
    const incident = await incidents.incident(id);
    if (incident === undefined) return undefined;
    return {
      parts: incidentParts(incident, priority),
      origin: {
        channel: incident.channel,
        ...(incident.threadTs !== undefined && { threadTs: incident.threadTs }),
      },
      requester: undefined,
      intervalMs: incident.storm ? settings.stormIntervalMs : settings.incidentIntervalMs,
    };
  }

  async #handOver(id: string, standing: Standing): Promise<Wanted | undefined> {
    const { handOvers, threads } = this.#tools;
    const handOver = await handOvers.handOver(id);
    if (handOver === undefined) return undefined;
    const { origin } = handOver;
    const parts = handOverParts(handOver, standing, await threads.link(origin));
    return { parts, origin, requester: undefined };
  }

  /** Whether the record is still known, of those that may be evicted before what belongs to them. */
  async #exists(id: string): Promise<boolean> {
    const { incidents, requests } = this.#tools;
    switch (id.slice(0, 2)) {
      case 'r-':
        return (await requests.run(id)) !== undefined;
      case 'c-':
        return (await requests.campaign(id)) !== undefined;
      case 'i-':
        return (await incidents.incident(id)) !== undefined;
      default:
        return true;
    }
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
