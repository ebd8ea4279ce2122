import type { ApprovalDecision } from '../fleet/approval.ts';
import type { FactReader } from '../fleet/audit/fact.ts';
import type { BudgetState } from '../fleet/budget-state.ts';
import type { Campaign } from '../fleet/campaign.ts';
import type { DriftNote } from '../fleet/drift.ts';
import type { FleetFileError, LimitKind } from '../fleet/errors.ts';
import type { Fleet, PersonLimits } from '../fleet/fleet.ts';
import type { Halt, HaltMember, Release, ResumeWish } from '../fleet/halt.ts';
import type { HandOver } from '../fleet/hand-over.ts';
import type { HandOverMove } from '../fleet/hand-over-moves.ts';
import type { Incident, Investigation } from '../fleet/incident.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import type { OverLimit } from '../fleet/left-out.ts';
import type { Limits, Machine } from '../fleet/machine.ts';
import type { Notice } from '../fleet/notice.ts';
import type { Request, Task } from '../fleet/request.ts';
import type { PersonRef, Requester } from '../fleet/requester.ts';
import type { Cancellation, Run, RunState, Traced } from '../fleet/run.ts';
import type { Schedule } from '../fleet/schedule.ts';
import type { Settled } from '../fleet/settle.ts';
import type { HeldBack, Silence } from '../fleet/silence.ts';
import type { SpendingRow } from '../fleet/spending.ts';

/** What Slack's side needs of the rest. Plugged in by `main.ts`. */

/** The fleet file in force. A changed file is taken up between two calls; an invalid one never is. */
export interface FleetSource {
  current(): Fleet;
  /** Why the file as it stands on disk is not the one in force; undefined where it is. */
  invalid(): FleetFileError | undefined;
}

/** What was accepted. `duplicate`: this event id was accepted before, and `runs` are the runs of then. */
export interface Accepted {
  readonly duplicate: boolean;
  readonly runIds: readonly string[];
}

/** The limits of fleet file and machines that a request must keep. */
export interface RequestLimits {
  readonly perPerson: PersonLimits;
  /** undefined for a machine that is not known. */
  readonly perMachine: (name: string) => Pick<Limits, 'maxWaiting' | 'requestsPerMinute'> | undefined;
}

/** What became of a cancellation. */
export type CancelResult =
  | { readonly kind: 'cancelled'; readonly run: Run }
  | { readonly kind: 'requested'; readonly run: Run }
  | { readonly kind: 'already-done'; readonly run: Run }
  | { readonly kind: 'unknown-run' };

/** What is known of a machine without asking it. */
export interface MachineRecord {
  readonly name: string;
  readonly fence: number;
  readonly waiting: number;
  readonly currentRunId?: string;
  readonly quarantine?: { readonly runId: string; readonly reason: string; readonly at: number };
  /** In what it differs from what should be installed there. */
  readonly drift?: DriftNote;
}

/**
 * Requests in, records out. What resolves is on disk (see `queue/durability.ts`); when Redis does not answer
 * within the limit, it rejects with StoreUnavailableError and the person is told.
 */
export interface Requests {
  /**
   * Stores all of them or none, each as a queued run in its machine's inbox, and wakes the machines.
   * @throws LimitError when the person or a machine is over a limit; it is counted
   */
  accept(requests: readonly Request[], limits: RequestLimits, campaign?: Campaign): Promise<Accepted>;
  /** Ends a run at once that waits, in its inbox or for people; asks one to stop that a worker drives. */
  cancel(runId: string, cancellation: Cancellation): Promise<CancelResult>;
  run(runId: string): Promise<Run | undefined>;
  /** Newest first; of one machine, or of all. */
  runs(filter: { readonly machine?: string; readonly limit: number }): Promise<readonly Run[]>;
  machine(name: string): Promise<MachineRecord>;
  /** `members` are the machines that got their run, in the order of `machines`. */
  campaign(id: string): Promise<{ campaign: Campaign; members: readonly CampaignMember[] } | undefined>;
  /**
   * Changes a campaign: `change` gets it as it is now, again whenever somebody was faster, and returns what follows
   * and what the ledger says, or undefined to leave it. Returns it as it is stored then; undefined where there is none.
   */
  changeCampaign(
    id: string,
    change: (campaign: Campaign) => { readonly campaign: Campaign; readonly entry: LedgerEntry } | undefined,
  ): Promise<Campaign | undefined>;
}

/** A machine of a campaign that got its run. */
export interface CampaignMember {
  readonly machine: string;
  readonly runId: string;
  readonly state: RunState;
  /** Set once the evidence is judged. */
  readonly verdict?: string;
  /** The run is done and its agent could not be measured inactive. */
  readonly inertnessUnknown: boolean;
  /** The same for machines with the same answer (see `alikeOf`); '' before the evidence is judged. */
  readonly alike: string;
}

/**
 * People's orders that machines do nothing. What resolves is on disk and in the ledger; workers hear of it at
 * once. Rejects with StoreUnavailableError like `Requests`.
 */
export interface Halts {
  /** Those that hold for any machine, oldest first. */
  active(): Promise<readonly Halt[]>;
  halt(
    id: string,
  ): Promise<{ readonly halt: Halt; readonly members: ReadonlyMap<string, HaltMember> } | undefined>;
  /** Stores the halt with these machines as `pending`. Its event id is accepted once. */
  begin(
    halt: Halt,
    machines: readonly string[],
  ): Promise<{ readonly duplicate: boolean; readonly id: string }>;
  /** Notes that somebody wants to resume and that a second person must agree. */
  wish(haltId: string, wish: ResumeWish): Promise<void>;
  /** Lifts the halt from what the selector matches. The event id is accepted once. */
  release(haltId: string, release: Release, eventId: string): Promise<void>;
}

/** A silence, and what it held back so far. */
export interface SilenceState {
  readonly silence: Silence;
  readonly heldBack: readonly HeldBack[];
  /** It ended: at its time, or before. */
  readonly over: boolean;
}

/**
 * Times in which nothing happens to machines by itself. What resolves is on disk and in the ledger. Rejects with
 * StoreUnavailableError like `Requests`.
 */
export interface Silences {
  /** People's that are not over, the one that ends first first. */
  active(): Promise<readonly Silence[]>;
  /**
   * People's, and the fleet file's windows, that hold now.
   * @param machine only the windows that hold for it
   */
  holding(machine?: Machine): Promise<readonly Silence[]>;
  /** One of a person; one of a window once that held something back. */
  silence(id: string): Promise<SilenceState | undefined>;
  /** Its event id is accepted once. */
  begin(
    silence: Silence & { readonly by: PersonRef },
    eventId: string,
  ): Promise<{ readonly duplicate: boolean; readonly id: string }>;
  /** Ends it before its time. Returns it as it is then, ended by whoever was first. */
  end(id: string, ended: { readonly by: PersonRef; readonly at: number }): Promise<Silence | undefined>;
}

/** Questions that people decide. What resolves is on disk. Rejects with StoreUnavailableError like `Requests`. */
export interface Approvals {
  /**
   * Changes a run that is in `awaiting`: `change` gets it as it is now, again whenever somebody else was faster, and
   * returns what follows, or undefined to leave it. Atomic: of many that decide at once one does, the others see what
   * it decided. `approved` puts the run at the head of its machine's inbox, `done` ends it. Returns the run as it is
   * stored at the end, whatever its state; undefined where there is none of this id.
   */
  change(runId: string, change: (run: Run) => Settled | undefined): Promise<Run | undefined>;
  /** The runs in `awaiting`, the one whose round ends first first. */
  waiting(limit: number): Promise<readonly Run[]>;
}

/** What agents may cost. Rejects with StoreUnavailableError like `Requests`. */
export interface Budgets {
  /** How they stand, in the order of the fleet file. */
  states(): Promise<readonly BudgetState[]>;
  /** The machines for which a budget refuses such a request, and why, as sentences for people. */
  over(
    machines: readonly Machine[],
    wanted: { readonly task: Task; readonly requester: Requester },
  ): Promise<readonly OverLimit[]>;
}

/** What agents used. Rejects with StoreUnavailableError like `Requests`. */
export interface Spending {
  /**
   * What was used on these days (`2026-11-23`), in UTC.
   * @param machine only what was used there
   */
  rows(days: readonly string[], machine?: string): Promise<readonly SpendingRow[]>;
}

/** Escalations on their way to people on call. What resolves is on disk. Rejects like `Requests`. */
export interface HandOvers {
  handOver(id: string): Promise<HandOver | undefined>;
  /**
   * Changes a hand-over: `change` gets it as it is now, again whenever somebody else was faster, and returns what
   * follows, or undefined to leave it. Returns it as it is stored at the end; undefined where there is none of this id.
   */
  change(id: string, change: (handOver: HandOver) => HandOverMove | undefined): Promise<HandOver | undefined>;
}

/** Makes decisions and requests ours: nobody without the bot's key can invent one. */
export interface Seals {
  decision(decision: ApprovalDecision): string;
  request(request: Request): string;
}

/** Whether a signer was there a moment ago: without one nothing that people approve is done. Rejects like `Requests`. */
export type SignerSeen = () => Promise<boolean>;

/** The record of who did what; the rest is written where it happens. Rejects like `Requests`. */
export interface Ledger {
  append(entry: LedgerEntry): Promise<void>;
  /** Appends unless the slot holds the value already, which it does afterwards. Returns whether it did. */
  appendOnce(slot: string, value: string, entry: LedgerEntry): Promise<boolean>;
}

/** The ledger, read by time. Rejects with StoreUnavailableError like `Requests`. */
export type LedgerFacts = FactReader;

/** What Slack's side counts for whoever watches. */
export interface BotMeter {
  /** A request was stored as this many runs; not counted again for a second delivery. */
  accepted(task: Task['kind'], runs: number): void;
  denied(verb: string): void;
  limited(limit: LimitKind): void;
  /** A message that tells alerts could not be stored, and is not tried again. */
  alertMessageLost(): void;
}

/** Sentences in machines' channels that nobody asked for. */
export interface Notices {
  notice(id: string): Promise<Notice | undefined>;
}

/** Alerts that belong together. Rejects with StoreUnavailableError like `Requests`. */
export interface Incidents {
  incident(id: string): Promise<Incident | undefined>;
  /** Notes runs that a person asked for from it, so that its message names them. */
  noteRuns(id: string, investigations: readonly Investigation[]): Promise<void>;
}

/** Our own ids in Slack. */
export interface SlackIdentity {
  readonly userId: string;
  readonly botId?: string | undefined;
  readonly appId?: string | undefined;
}

/** Alerts that other apps tell as messages. */
export interface AlertMessages {
  /**
   * Whether an event `message` tells alerts: it comes from an app that the fleet file lets tell them in that channel,
   * and we did not post it ourselves.
   */
  tells(event: unknown, us: SlackIdentity): boolean;
  /**
   * Takes the alerts that an event tells; one that tells none changes nothing. An event id is taken once.
   * @throws StoreUnavailableError when they could not be stored; the same event can be taken again
   */
  take(event: unknown, delivery: { readonly eventId: string; readonly us: SlackIdentity }): Promise<void>;
}

/** Schedules that people set up. What resolves is on disk. Rejects like `Requests`. */
export interface Schedules {
  /** By name. */
  setUp(): Promise<readonly Schedule[]>;
  /** `changed`: the name is taken; `full`: there are as many as there may be. The event id is accepted once. */
  add(schedule: Schedule, by: PersonRef, eventId: string): Promise<'saved' | 'changed' | 'full'>;
  /** `changed`: it is not there any more, or another one of its name is. The event id is accepted once. */
  remove(schedule: Schedule, by: PersonRef, eventId: string): Promise<'saved' | 'changed' | 'full'>;
}

/** Higher priorities first. */
export const viewPriorities = ['decision', 'verdict', 'progress'] as const;
export type ViewPriority = (typeof viewPriorities)[number];

/** A record whose view in Slack may be out of date, leased to this process until `leaseMs` are over. */
export interface DirtyView {
  readonly kind: 'run' | 'campaign' | 'halt' | 'notice' | 'incident' | 'hand-over' | 'silence';
  readonly id: string;
  readonly priority: ViewPriority;
  /** Proves the lease; changes with every lease. */
  readonly lease: string;
}

/** One message (or file) of ours in Slack. */
export interface Posted {
  readonly channel: string;
  readonly ts: string;
  /** Digest of what it shows, so that an unchanged view costs no call. */
  readonly digest: string;
  /** The root of the thread in which it stands; its own `ts` where it begins one. */
  readonly thread?: string | undefined;
}

/**
 * Which views are out of date and what stands in Slack. A part is one message of a record: `main`,
 * `verdict`, `diagnosis`, `file:…`. `intend` is stored before a message is posted: a part with an intent and
 * no `posted` may stand in Slack already, so recovery looks for it there first.
 */
export interface Views {
  /** How long a lease lasts; the publisher refuses to start on one that a refresh could outlast. */
  readonly leaseMs: number;
  /** Leases up to `limit` dirty views, best priority first, oldest first within one. */
  take(limit: number): Promise<readonly DirtyView[]>;
  /** The view is up to date. Changed meanwhile: it stays dirty. */
  release(view: DirtyView): Promise<void>;
  /** The view could not be brought up to date: dirty again, not before `delayMs` from now. */
  postpone(view: DirtyView, delayMs: number): Promise<void>;
  parts(id: string): Promise<Readonly<Record<string, { intended: number; posted?: Posted }>>>;
  intend(id: string, part: string, at: number): Promise<void>;
  record(id: string, part: string, posted: Posted): Promise<void>;
}

/**
 * Slack's limits, shared by all bot processes. `take` answers 0 when the call may be made now, or the
 * milliseconds to wait. Low priorities leave a reserve to higher ones.
 */
export interface SlackBudget {
  take(method: string, channel: string, priority: ViewPriority): Promise<number>;
  /** Slack answered 429: nobody calls this method (in this channel, where it is limited per channel) before. */
  block(method: string, channel: string, retryAfterMs: number): Promise<void>;
}

/** The person as Slack knows them at this moment. */
export interface Person {
  readonly userId: string;
  readonly teamId: string;
  /** Single- or multi-channel guest, stranger, bot, or deactivated: never allowed anything. */
  readonly excluded: boolean;
  readonly groupIds: readonly string[];
}

/** The link to traces, or the reason why there is none. */
export type TraceLink = { readonly url: string } | { readonly missing: string };
/** What traces belong to, by its id. */
export type TracesOf = { readonly campaign: string } | { readonly incident: string };
/** To a run's trace; or to a list of those that belong together, as far as their runs are done. */
export type LinkTo = (what: Traced | TracesOf) => TraceLink;

/**
 * Ends the trace of a run that is done and that no worker took up; every other trace is ended by its run's
 * worker. Never throws and never waits.
 */
export type FinishTrace = (run: Run) => void;

/** Removes secrets from text before it is kept or shown. */
export type Redact = (text: string) => string;
export type Clock = () => number;
