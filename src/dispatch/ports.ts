import type { AlertRules } from '../fleet/alert-rules.ts';
import type { Assessment } from '../fleet/assessment.ts';
import type { Campaign } from '../fleet/campaign.ts';
import type { TakenMachine } from '../fleet/campaign-step.ts';
import type { Fleet, PersonLimits } from '../fleet/fleet.ts';
import type { Halt } from '../fleet/halt.ts';
import type { HandOver } from '../fleet/hand-over.ts';
import type { HandOverMove } from '../fleet/hand-over-moves.ts';
import type { Held } from '../fleet/held-back.ts';
import type { Incident } from '../fleet/incident.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import type { OverLimit } from '../fleet/left-out.ts';
import type { Limits, Machine } from '../fleet/machine.ts';
import type { FiringTarget, NextIncident } from '../fleet/plan-incident.ts';
import type { Origin, Request, Task } from '../fleet/request.ts';
import type { PersonRef, Requester } from '../fleet/requester.ts';
import type { Run } from '../fleet/run.ts';
import type { Schedule, ScheduleState } from '../fleet/schedule.ts';
import type { Silence } from '../fleet/silence.ts';

/** What the dispatcher needs of the rest. Plugged in by `main.ts`. What resolves is on disk. */

/** The fleet file in force. */
export type CurrentFleet = () => Fleet;

/** Hands requests in. Rejects with StoreUnavailableError when the store does not answer. */
export interface Requests {
  /**
   * Stores all of them or none, each as a queued run in its machine's inbox; an event id that was accepted before
   * changes nothing and returns the runs of then. A campaign without requests is accepted under `eventId`; accepted
   * before, its own id is returned.
   * @throws LimitError when the requester or a machine is over a limit
   */
  accept(
    requests: readonly Request[],
    limits: {
      readonly perPerson: PersonLimits;
      readonly perMachine: (name: string) => Pick<Limits, 'maxWaiting' | 'requestsPerMinute'> | undefined;
    },
    campaign?: Campaign,
    eventId?: string,
  ): Promise<{ readonly duplicate: boolean; readonly runIds: readonly string[] }>;
  /**
   * The runs that this event id led to, or the campaign where it led to none; undefined for one that was not accepted.
   */
  acceptedBefore(eventId: string): Promise<readonly string[] | undefined>;
  run(runId: string): Promise<Run | undefined>;
}

/** A campaign and its members as they were read. */
export interface StoredCampaign {
  readonly campaign: Campaign;
  readonly members: readonly TakenMachine[];
  /** Proves what was read to whoever changes it. */
  readonly version: string;
}

/** Campaigns of which more is to be handed in. Rejects like `Requests`. */
export interface Campaigns {
  /** The ids of those that go on without anybody's doing. */
  open(): Promise<readonly string[]>;
  read(id: string): Promise<StoredCampaign | undefined>;
  /** Stores it, if nobody has changed it since it was read. Returns whether that was so. */
  save(
    version: string,
    change: { readonly campaign: Campaign; readonly entry?: LedgerEntry },
  ): Promise<boolean>;
  /** It is among the open ones no more. */
  forget(id: string): Promise<void>;
}

/** Hands in more machines of a campaign. */
export interface MoreRequests {
  /**
   * Stores the requests and the campaign as it is then in one step; nothing where somebody has changed it since it
   * was read. Returns whether this call stored them.
   * @throws LimitError when a machine is over a limit
   */
  acceptMore(
    requests: readonly Request[],
    limits: {
      readonly perMachine: (name: string) => Pick<Limits, 'maxWaiting' | 'requestsPerMinute'> | undefined;
    },
    campaign: Campaign,
    version: string,
  ): Promise<boolean>;
}

/** Halts that hold for any machine. */
export interface Halts {
  active(): Promise<readonly Halt[]>;
}

/** Times in which nothing happens to machines by itself. */
export interface Silences {
  /** People's, and the fleet file's windows, that hold now. */
  holding(): Promise<readonly Silence[]>;
  /** Counts what one held back, once for each event id. */
  holdBack(silence: Silence, held: readonly Held[], eventId: string): Promise<void>;
  /** Those whose time is over and of whom that is not told yet. */
  due(): Promise<readonly Silence[]>;
  /** Ends one of them and has that told. Returns whether nobody had before. */
  close(silence: Silence): Promise<boolean>;
}

/** What agents may cost. Rejects with StoreUnavailableError. */
export interface Budgets {
  /** The machines for which a budget refuses such a request, and why, as sentences for people. */
  over(
    machines: readonly Machine[],
    wanted: { readonly task: Task; readonly requester: Requester },
  ): Promise<readonly OverLimit[]>;
}

/** Escalations on their way to people on call. Rejects with StoreUnavailableError when the store does not answer. */
export interface HandOvers {
  /** The ids of those of which somebody is to be called. */
  due(now: number): Promise<readonly string[]>;
  handOver(id: string): Promise<HandOver | undefined>;
  /**
   * Changes one as it is now, again whenever somebody else was faster; returns it as it is stored at the end.
   * @param change returns undefined to leave it
   */
  change(id: string, change: (handOver: HandOver) => HandOverMove | undefined): Promise<HandOver | undefined>;
}

/** Whoever can be called beside those in Slack. */
export interface Pagers {
  /**
   * Tells a pager of a hand-over, under its id: one that is told twice knows it. Returns undefined once it took it, else
   * why not, as a sentence. Throws only where `signal` aborts.
   */
  call(
    name: string,
    page: { readonly handOver: HandOver; readonly thread: string | undefined },
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

/** What Slack's side knows of where people are called. */
export interface OnCallSlack {
  /** Whether Slack says that nothing can be said in a channel. Never rejects; doubt, also a Slack that is away, is a no. */
  isOutside(channel: string): Promise<boolean>;
  /** Address of the thread; undefined where it is not known. */
  link(origin: Origin): Promise<string | undefined>;
}

/** What a round got of a machine that it wants to look at. */
export type Claim =
  | { readonly kind: 'claimed' }
  /** Alerts led to as many runs as they may in a minute; there may be one more after so long. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Another round looked a short while ago; `run` where it is known. */
  | { readonly kind: 'cooling'; readonly incident: string; readonly at: number; readonly run?: string };

/** Incidents that are open. Rejects like `Requests`. */
export interface Incidents {
  /** The ids of those that are to be looked at, at most `limit`. */
  due(now: number, limit: number): Promise<readonly string[]>;
  /**
   * Changes one, again and again until nobody was faster; what is the very same is not stored. Returns it as it is
   * then. One that is closed or not known stays so, and is due no more.
   */
  change(
    id: string,
    change: (incident: Incident, targets: readonly FiringTarget[]) => NextIncident,
  ): Promise<Incident | undefined>;
  /**
   * Claims machines for the last round of an incident, in this order, as far as their cool-down and `runsPerMinute`
   * allow. Repeated for the same round, it claims nothing a second time.
   */
  claim(
    incident: Incident,
    round: { readonly check: string; readonly machines: readonly string[] },
    rules: Pick<AlertRules, 'coolDownMinutes' | 'runsPerMinute'>,
  ): Promise<ReadonlyMap<string, Claim>>;
  /** What became of the machines that the round claimed: the run that looks; undefined frees the machine at once. */
  looked(incident: Incident, check: string, runs: ReadonlyMap<string, string | undefined>): Promise<void>;
}

/** One entry of the ledger. `entry` is undefined for a fact that this version of fleetbot does not know. */
export interface TailEntry {
  /** Later entries have later positions. */
  readonly position: string;
  readonly seq: number;
  readonly entry: LedgerEntry | undefined;
}

/** An entry that was passed, and for which something is still to be done. */
export interface PutOff {
  readonly position: string;
  readonly entry: LedgerEntry;
  /** When that was tried first. */
  readonly since: number;
}

/**
 * The ledger, entry by entry. It remembers how far it is read, so that each entry comes at least once, and keeps those
 * that were not passed yet. Rejects like `Requests`.
 */
export interface LedgerTail<Later extends PutOff = PutOff> {
  /** The entries after the last one that was passed, oldest first. */
  next(limit: number): Promise<readonly TailEntry[]>;
  /** Everything up to this entry is done. */
  pass(entry: TailEntry): Promise<void>;
  /** The same for one that is put off until then; false, and nothing is changed, where `most` are already. */
  putOff(entry: TailEntry & { readonly entry: LedgerEntry }, until: number, most: number): Promise<boolean>;
  /** Those that were put off until now, the oldest first. */
  due(limit: number): Promise<readonly Later[]>;
  putOffAgain(entry: Later, until: number): Promise<void>;
  /** It is done, or given up. */
  forget(entry: Later): Promise<void>;
}

/** Where traces are, and what people say of them. Deliberately not here: reading what they said. */
export interface Assessor {
  /**
   * Sees to it that the last word of a person stands with the trace, once, however often it is told. `later`: it cannot
   * stand there yet, because the trace is not known or it is refused; says why.
   * @throws where nothing can be said of any trace at the moment
   * @throws the reason of `signal`
   */
  assess(
    assessment: Assessment,
    signal: AbortSignal,
  ): Promise<{ readonly result: 'created' | 'updated' | 'there' } | { readonly later: string }>;
}

/** What is counted of that. */
export interface AssessmentMeter {
  brought(result: 'created' | 'updated' | 'there' | 'given-up'): void;
}

/** Makes a request ours (see `Request.seal`); undefined where this process has no key. */
export type SealRequest = ((request: Request) => string) | undefined;

/** Schedules that people set up, and what was done about all of them. Rejects like `Requests`. */
export interface Schedules {
  /** Those that people set up in Slack. */
  setUp(): Promise<readonly Schedule[]>;
  /** By name, also of schedules that are no more. */
  states(): Promise<ReadonlyMap<string, ScheduleState>>;
  /** Replaces it if it still is `before` (undefined: nothing); says whether it was. */
  saveState(
    name: string,
    before: ScheduleState | undefined,
    after: ScheduleState | undefined,
  ): Promise<boolean>;
}

/**
 * Which of the machines a person may give such a task to at this moment, and why not the others, as words for people
 * that are the same for each. Where Slack cannot be asked about them, none, and it is not certain. Rejects before
 * Slack was reached at all.
 */
export type MayAsk = (
  person: PersonRef,
  verb: Task['kind'],
  machines: readonly Machine[],
) => Promise<{ readonly allowed: readonly Machine[]; readonly why: string; readonly isCertain: boolean }>;

export type Clock = () => number;
