import type { AgentAnswer, AgentTask } from '../fleet/agent-task.ts';
import type { CommandOutput } from '../fleet/evidence.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Cancellation, Run, RunState } from '../fleet/run.ts';

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
   * have arrived meanwhile. Entering `done` also frees the machine for its next request.
   * @throws StaleFenceError
   */
  save(run: Run, from: RunState, fence: number): Promise<Run>;
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
  /** Milliseconds that the machine's clock is ahead of ours. */
  readonly clockSkewMs: number;
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
  /** Gives the agent one task and waits for its answer. @throws AgentError */
  task(fence: number, token: string, task: AgentTask, signal?: AbortSignal): Promise<AgentAnswer>;
}

/** Finds the gate of a machine. */
export interface Machines {
  gate(machine: Machine): MachineGate;
}

/** One step of a run in its trace. */
export interface Step {
  /** The W3C traceparent to hand on, so that what the machine records becomes this step's child. */
  readonly traceparent: string;
  set(attributes: Readonly<Record<string, string | number | boolean>>): void;
  /** Ends the step; with an error it is marked failed. */
  end(error?: unknown): void;
}

/** The trace of a run. Never throws and never delays a run. */
export interface Tracer {
  step(run: Run, name: string, attributes?: Readonly<Record<string, string | number | boolean>>): Step;
  /** Records what the machine's broker ran for us in this step: one span for each command. */
  hostWork(run: Run, step: Step, outputs: readonly CommandOutput[]): void;
  /** Records what the agent did: its tool calls and, where known, its tokens. */
  agentWork(run: Run, step: Step, answer: AgentAnswer): void;
  /** Ends the trace: the root span, from acceptance to now. Called once, when the run is done. */
  finish(run: Run): void;
}

/** Removes secrets from text before it is kept or shown. */
export type Redact = (text: string) => string;

/** Milliseconds since the epoch. */
export type Clock = () => number;
