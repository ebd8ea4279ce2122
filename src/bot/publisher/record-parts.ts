import type { Campaign } from '../../fleet/campaign.ts';
import { isOpen, waitingOf } from '../../fleet/campaign-step.ts';
import { type Halt, haltOf } from '../../fleet/halt.ts';
import { allHalted, haltedAmong } from '../../fleet/halted-among.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Origin } from '../../fleet/request.ts';
import type { Requester } from '../../fleet/requester.ts';
import type { Run } from '../../fleet/run.ts';
import { parseSelector } from '../../fleet/selector.ts';
import { type Silence, silencer } from '../../fleet/silence.ts';
import type {
  CampaignMember,
  Clock,
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
import type { StillSilenced } from '../views/silence-main.ts';
import { digestParts } from './digest-parts.ts';
import { handOverParts } from './hand-over-parts.ts';
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
import type { PublisherSettings } from './settings.ts';

/** Where the records are, and what their messages need beside them. */
export interface RecordTools {
  readonly fleet: FleetSource;
  readonly requests: Requests;
  readonly halts: Halts;
  readonly handOvers: Pick<HandOvers, 'handOver'>;
  readonly threads: Pick<Threads, 'link'>;
  readonly silences: Silences;
  readonly notices: Notices;
  readonly incidents: Incidents;
  readonly linkTo: LinkTo;
  readonly clock: Clock;
  readonly settings: Pick<PublisherSettings, 'incidentIntervalMs' | 'stormIntervalMs'>;
}

/** What should stand in Slack for a record, where, and for whom. */
export interface Wanted {
  readonly parts: Parts;
  readonly origin: Origin;
  /** undefined where nobody asked. */
  readonly requester: Requester | undefined;
  /** Least time until its message is edited again, where that is not `progressIntervalMs`. */
  readonly intervalMs?: number;
}

/** Runs loaded at the same time for a campaign. */
const loadedTogether = 50;

/** Reads records, and says what of them should stand in Slack. Rejects with StoreUnavailableError. */
export class RecordParts {
  readonly #tools: RecordTools;

  constructor(tools: RecordTools) {
    this.#tools = tools;
  }

  /** undefined where nothing should, or the record is not known any more. */
  async wanted(dirty: DirtyView, standing: Standing): Promise<Wanted | undefined> {
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
      const told = { ...found, previous, halted, traceLink: this.#tools.linkTo({ campaign: id }) };
      const digest = await digestParts(told, standing, ofCampaign, loadRuns);
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
      parts: incidentParts(incident, this.#tools, priority),
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
  async exists(id: string): Promise<boolean> {
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
}
