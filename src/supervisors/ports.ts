import type { AgentAnswer, AgentTask } from '../fleet/agent-task.ts';
import type { SignedCapsule } from '../fleet/capsule.ts';
import type { DriftNote, DriftPart } from '../fleet/drift.ts';
import type { Installed } from '../fleet/edge-kit.ts';
import type { Failure } from '../fleet/errors.ts';
import type { CommandOutput } from '../fleet/evidence.ts';
import type { Halt, HaltMember } from '../fleet/halt.ts';
import type { HandOver } from '../fleet/hand-over.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Notice } from '../fleet/notice.ts';
import type { Cost } from '../fleet/price.ts';
import type { Task } from '../fleet/request.ts';
import type { Cancellation, Measurement, Run, RunState, Withheld } from '../fleet/run.ts';

/**
 * What the supervision loop needs of the rest, and no more. Each port is implemented in another room and
 * plugged in by `main.ts`; each has one conformance suite in `test/conformance/` that every adapter passes.
 */

/** A machine's turn: the fence under which this worker may act, and the run to drive. */
export interface Claim {
  readonly fence: number;
  /** The head of the inbox, moved to the machine's current run; or the current run that a crash left. */
  readonly run: Run;
  /** The machine's agent could not be measured inactive before; measuring it lifts the quarantine. */
  readonly quarantine?: Quarantine;
}

/** A machine whose agent could not be measured inactive. */
export interface Quarantine {
  readonly runId: string;
  readonly reason: string;
  readonly at: number;
}

/**
 * Where runs are kept. Every write is a compare-and-set: it happens only while `fence` is the machine's
 * current fence, and is durable when the promise resolves. Deliberately not here: accepting requests, lists
 * for people, and everything about Slack.
 */
export interface RunStore {
  /** Takes the machine's turn: raises its fence. undefined when it has nothing to do. */
  claim(machine: string): Promise<Claim | undefined>;
  /**
   * Raises the fence above `seen`, the highest one the machine itself has seen. Returns the fence to use
   * from now on: `held` when it is higher already.
   * @throws StaleFenceError when `held` is no longer the machine's fence
   */
  raiseFence(machine: string, held: number, seen: number): Promise<number>;
  /**
   * Stores the run as it is now, if it still is in state `from`. Returns it with the cancellation that may
   * have arrived meanwhile. Entering `done` or `awaiting` also frees the machine for its
   * next request; with `awaiting` people are asked (`run.approval`), unless the run was cancelled: then nothing is
   * stored, and the run is returned as it is in the store, still in state `from`, with its cancellation.
   * @throws StaleFenceError
   */
  save(run: Run, from: RunState, fence: number): Promise<Run>;
  /** The machine's runs in `awaiting`: what people are asked about it already. */
  waiting(machine: string): Promise<readonly Run[]>;
  /** The last hand-over of what this task found on the machine; undefined where it found all well there since. */
  handedOver(machine: string, task: Task): Promise<HandOver | undefined>;
  /**
   * Notes that the trace of a run that is done was ended. Returns at once. Where nobody notes it, because the process
   * was killed before, another worker ends the trace.
   */
  traced(runId: string): void;
  /** Calls back once when the run is cancelled, or is cancelled already. Returns how to stop listening. */
  onCancelled(runId: string, callback: (cancellation: Cancellation) => void): () => void;
  /** Sets or (with undefined) clears the machine's quarantine. @throws StaleFenceError */
  setQuarantine(machine: string, fence: number, quarantine: Quarantine | undefined): Promise<void>;
}

/** What a machine says of itself; see `edge-client/gate-protocol.ts`. */
export interface MachineStatus {
  readonly agent: 'inactive' | 'activating' | 'active' | 'deactivating' | 'failed';
  readonly run: string | null;
  readonly fence: number;
  readonly lock: { readonly reason: string; readonly at: string } | null;
  /** What must not be interrupted and goes on until it ends by itself. */
  readonly action?: { readonly id: string; readonly name: string } | undefined;
  /** Milliseconds that the machine's clock is ahead of ours. */
  readonly clockSkewMs: number;
  /** What is installed there, where it tells. */
  readonly installed?: Installed | undefined;
}

/**
 * One machine, as far as the loop needs it. Every method has its own timeout from the machine's limits and
 * throws MachineError; `signal` ends it early. Deliberately not here: shells, files, arbitrary commands.
 */
export interface MachineGate {
  status(signal?: AbortSignal): Promise<MachineStatus>;
  /** Runs the check's commands on the host, through the broker. */
  evidence(
    fence: number,
    check: string,
    signal?: AbortSignal,
  ): Promise<{ collectedAt: string; outputs: CommandOutput[] }>;
  /** Starts the agent's unit. Returns the gateway's token for this activation. */
  start(fence: number, runId: string, traceparent: string, signal?: AbortSignal): Promise<{ token: string }>;
  /** Stops the agent's unit and measures it. Resolves only when it is measured inactive. */
  stop(fence: number): Promise<void>;
  /** Resolves when the agent's gateway takes tasks. @throws AgentError `agent-not-ready` */
  ready(fence: number, signal?: AbortSignal): Promise<void>;
  /**
   * Hands over what was approved. Sent once, never again; `running`: it has begun; `refused`: it has not.
   * @throws MachineError `old-fence`: it has not begun; any other: ask `result`
   */
  act(fence: number, capsule: SignedCapsule): Promise<ActionReport>;
  /** What became of an action, as often as asked. */
  result(approvalId: string, signal?: AbortSignal): Promise<ActionReport>;
  /** Gives the agent one task and waits for its answer. @throws AgentError */
  task(fence: number, token: string, task: AgentTask, signal?: AbortSignal): Promise<AgentAnswer>;
}

/**
 * What a machine knows of an action. `unknown`: it never began one of this id. `lost`: it began, the machine restarted
 * in the middle, and how far it came nobody knows.
 */
export interface ActionReport {
  readonly outcome: 'done' | 'refused' | 'failed' | 'running' | 'lost' | 'unknown';
  /** A sentence. */
  readonly detail: string;
  readonly exitCode?: number | null | undefined;
  /** Redacted by the machine. */
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
}

/** Gets what people approved signed. */
export interface Signer {
  /**
   * The capsule for the run's approved action on its machine under this fence. Asking again changes nothing: the
   * machine runs an approval once, however many capsules there are of it.
   * @throws SignerError `signer-refused` with the reason; `signer-away` when none answered in time
   */
  capsule(
    ask: { readonly run: Run; readonly fence: number; readonly traceparent: string },
    signal: AbortSignal,
  ): Promise<SignedCapsule>;
}

/** The machines whose supervisors were asked, and the campaign that tells what they find. */
export interface Asked {
  readonly campaign: string;
  readonly machines: readonly string[];
}

/** The supervisors of other machines. They can be asked for checks, never for actions. */
export interface Peers {
  /**
   * Asks them to make the run's check because of what it found. Those that were asked the same a while ago, or that
   * are not to be looked at now, are left out; undefined where none is left. Asking again for the same run comes to
   * the same campaign.
   */
  ask(run: Run, machines: readonly Machine[]): Promise<Asked | undefined>;
}

/**
 * Says what must not happen on a machine by itself. Deliberately not here: halts, which are obeyed where a run is
 * claimed. Of what people ask for by hand only a budget that is used up holds anything back: the agent.
 */
export interface Restraints {
  /**
   * Why the run must not go on at this moment, and notes that it was held back; undefined where nothing is in its way.
   * Moments: before the machine is touched for it (`run`), before its agent is started (`agent`), before people are
   * asked what it proposes (`escalation`), right before an approved action begins (`action`). Asked again about the
   * same, it is noted once. While the store
   * is away it waits, as a RunStore does.
   */
  obstacle(run: Run, machine: Machine, moment: Withheld['moment']): Promise<Withheld | undefined>;
}

/** What `lock` and `unlock` answer: whether it is locked now, and what is known of the agent. */
export interface LockReply {
  readonly locked: boolean;
  readonly agent: MachineStatus['agent'];
  readonly action?: MachineStatus['action'];
}

/** The brake of one machine: works without a fence, so also beside a run. Throws MachineError. */
export interface MachineBrake {
  status(signal?: AbortSignal): Promise<MachineStatus>;
  stop(fence: number): Promise<void>;
  /** Stops the agent and lets none start until it is unlocked; held over the machine's restarts. */
  lock(reason: string): Promise<LockReply>;
  /** Lifts the lock that has this reason; another one stays, and the reply says so. */
  unlock(reason: string): Promise<LockReply>;
}

/** Finds the gate of a machine. */
export interface Machines {
  gate(machine: Machine): MachineGate;
}

/** Finds the brake of a machine. */
export interface Brakes {
  gate(machine: Machine): MachineBrake;
}

/** A machine's record, as far as the reconciler compares it with the machine. */
export interface MachineRecord {
  readonly fence: number;
  readonly currentRunId?: string;
  readonly quarantine?: Quarantine;
  /** Present where another one is installed than should be. */
  readonly drift?: DriftNote;
}

/**
 * What the reconciler keeps and reads. Every write is durable when its promise resolves. Deliberately not here:
 * runs' states; a machine with a current run belongs to the worker that drives it.
 */
export interface ReconcilerStore {
  /**
   * Calls `work` in one process at a time over all workers, in this one again when another's lease ran out.
   * `signal` aborts when this process is no longer the one. Resolves when `signal` of the caller aborts.
   */
  lead(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** The records of these machines; one that Redis does not know has fence 0. */
  machines(names: readonly string[]): Promise<ReadonlyMap<string, MachineRecord>>;
  /**
   * A fence for a machine that has no current run, above `seen`. undefined where it has one: then its worker
   * looks after it.
   */
  takeFence(machine: string, seen: number): Promise<number | undefined>;
  /** Sets or clears a quarantine. @throws StaleFenceError when the fence is no longer the machine's */
  setQuarantine(machine: string, fence: number, quarantine: Quarantine | undefined): Promise<void>;
  /** Keeps in what the machine differs from what should be installed there; undefined: in nothing. */
  setDrift(machine: string, drift: DriftNote | undefined): Promise<void>;
  /** Halts that hold for a machine, or whose locks are not all lifted yet, oldest first. */
  halts(): Promise<readonly Halt[]>;
  /** What is known of each machine of a halt so far. */
  haltMembers(haltId: string): Promise<ReadonlyMap<string, HaltMember>>;
  /** Keeps what became of machines of a halt; brings its message up to date. */
  recordHalt(haltId: string, members: ReadonlyMap<string, HaltMember>): Promise<void>;
  /** The halt is over and no lock of it is left: it is looked at no more. */
  closeHalt(haltId: string): Promise<void>;
  /** Calls back whenever halts changed, in any process; and now and then in case the news was lost. */
  onHaltsChanged(callback: () => void): () => void;
  /** Posts a sentence in a machine's channel, once; writes the finding into the ledger. */
  notice(notice: Notice): Promise<void>;
  /** Writes a finding into the ledger, without a message. */
  found(machine: string, finding: 'stray-found' | Notice['kind'], detail: string): Promise<void>;
}

/** What the reconciler counts for whoever watches. */
export interface ReconcilerMeter {
  found(kind: Notice['kind'] | 'stray-found'): void;
  /** After each round over the whole fleet. */
  round(result: {
    readonly machines: number;
    readonly unreachable: number;
    readonly durationMs: number;
  }): void;
  /** How many machines have drifted, by part, after each round; undefined: another process counts from now on. */
  drifted(machines: ReadonlyMap<DriftPart, number> | undefined): void;
}

/** One step of a run in its trace. */
export interface Step {
  /** The W3C traceparent to hand on, so that what the machine records becomes this step's child. */
  readonly traceparent: string;
  set(attributes: Readonly<Record<string, string | number | boolean>>): void;
  /** Ends the step; with an error it is marked failed. */
  end(error?: unknown): void;
}

/** What the rules made of a check's evidence. */
export interface Judgement {
  readonly check: string;
  /** What the fleet file expects of the machine there. */
  readonly expected: unknown;
  readonly measurement: Pick<Measurement, 'findings' | 'verdict'>;
  /** Why it could not be judged, where it could not. */
  readonly failure?: Failure | undefined;
}

/** The trace of a run. Never throws and never delays a run. */
export interface Tracer {
  /** Begins a step. Its attributes `input` (text as it is) and `output` (Markdown) are what people see first of it. */
  step(run: Run, name: string, attributes?: Readonly<Record<string, string | number | boolean>>): Step;
  /** Records what the machine's broker ran for us in this step: one span for each command. */
  hostWork(run: Run, step: Step, outputs: readonly CommandOutput[]): void;
  /** Records what was made in this step of what those commands printed. */
  judged(run: Run, step: Step, judgement: Judgement): void;
  /**
   * Records what the agent did: its tool calls and, where known, its tokens and what they cost. Not where it traces
   * itself.
   */
  agentWork(run: Run, step: Step, answer: AgentAnswer, cost?: Cost): void;
  /** The W3C traceparent of the run's span `action`, which `finish` records: what the machine does belongs under it. */
  actionTraceparent(run: Run): string;
  /**
   * Ends the trace of a run that is done: what people were asked and what was changed, and the root span, from
   * acceptance to the end. All of it follows from the record: ending it again, also elsewhere, changes nothing.
   */
  finish(run: Run): void;
}

/** Removes secrets from text before it is kept or shown. */
export type Redact = (text: string) => string;

/** Milliseconds since the epoch. */
export type Clock = () => number;
