import type { Installed } from '../fleet/edge-kit.ts';
import { StoreUnavailableError } from '../fleet/errors.ts';
import type { HandOver } from '../fleet/hand-over.ts';
import type { Machine } from '../fleet/machine.ts';
import { moveRun, type Run, type RunState, type Withheld } from '../fleet/run.ts';
import type { Claim, Clock, Quarantine, Restraints, RunStore } from './ports.ts';

/** What a HeldRun needs beside its claim. */
export interface HeldRunOptions {
  readonly store: RunStore;
  readonly restraints: Restraints;
  readonly clock: Clock;
  /** How long a write may take. */
  readonly storeTimeoutMs: number;
  /** How much longer, once the worker must let go. */
  readonly lettingGoTimeoutMs: number;
  /** Aborts when this worker must let go. */
  readonly worker: AbortSignal;
}

/**
 * The run that this worker holds: its newest record and the fence under which it may be written. Every write
 * throws StaleFenceError when another worker holds the machine, and StoreUnavailableError after the limit, so
 * that a store that is away cannot keep an agent alive. Such a write may still happen later; being a
 * compare-and-set, it then either is the one meant here or does nothing.
 */
export class HeldRun {
  readonly #options: HeldRunOptions;
  #run: Run;
  #fence: number;
  #retiredFence: number | undefined;
  #quarantine: Quarantine | undefined;
  #agentTracesItself = false;

  constructor(claim: Claim, options: HeldRunOptions) {
    this.#run = claim.run;
    this.#fence = claim.fence;
    this.#quarantine = claim.quarantine;
    this.#options = options;
  }

  get run(): Run {
    return this.#run;
  }

  get fence(): number {
    return this.#fence;
  }

  /** The machine's quarantine, while it is in one. */
  get quarantine(): Quarantine | undefined {
    return this.#quarantine;
  }

  /** Whether the machine was measured inactive under the fence, which retires it: nothing can have started since. */
  get retired(): boolean {
    return this.#retiredFence === this.#fence;
  }

  /** Notes that the machine was stopped and measured inactive under the fence. */
  retire(): void {
    this.#retiredFence = this.#fence;
  }

  /** Whether what the agent does comes into the trace from the machine itself, and need not be told twice. */
  get agentTracesItself(): boolean {
    return this.#agentTracesItself;
  }

  /** Notes what the machine says is installed on it. */
  noteInstalled(installed: Installed | undefined): void {
    this.#agentTracesItself = installed?.traces ?? false;
  }

  /** Raises the fence above what the machine has seen. With the own fence: after a `stop`, which retires it. */
  async raiseFence(seen: number): Promise<void> {
    if (seen < this.#fence) return;
    const { machine } = this.#run.request;
    this.#fence = await this.#inTime(this.#options.store.raiseFence(machine, this.#fence, seen));
  }

  /**
   * Stores the next state. Where people are to be asked and the run was cancelled meanwhile, it stays in its state,
   * and its cancellation is known.
   */
  async move(to: RunState, changes: Partial<Run> = {}): Promise<void> {
    await this.#save(moveRun(this.#run, to, this.#options.clock(), changes));
  }

  /** Stores changes within the state. */
  async note(changes: Partial<Run>): Promise<void> {
    await this.#save({ ...this.#run, ...changes });
  }

  /** The machine's runs that wait for people. */
  waiting(): Promise<readonly Run[]> {
    return this.#inTime(this.#options.store.waiting(this.#run.request.machine));
  }

  /** The last hand-over of what the run's task found on the machine; undefined where it found all well there since. */
  handedOver(): Promise<HandOver | undefined> {
    const { machine, task } = this.#run.request;
    return this.#inTime(this.#options.store.handedOver(machine, task));
  }

  /** Why the run must not go on at this moment; undefined where nothing is in its way. */
  obstacle(machine: Machine, moment: Withheld['moment']): Promise<Withheld | undefined> {
    return this.#inTime(this.#options.restraints.obstacle(this.#run, machine, moment));
  }

  /** Sets or (with undefined) clears the machine's quarantine. */
  async setQuarantine(quarantine: Quarantine | undefined): Promise<void> {
    const { machine } = this.#run.request;
    await this.#inTime(this.#options.store.setQuarantine(machine, this.#fence, quarantine));
    this.#quarantine = quarantine;
  }

  async #save(next: Run): Promise<void> {
    this.#run = await this.#inTime(this.#options.store.save(next, this.#run.state, this.#fence));
  }

  async #inTime<T>(write: Promise<T>): Promise<T> {
    const { worker, storeTimeoutMs, lettingGoTimeoutMs } = this.#options;
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const giveUp = () =>
      reject(new StoreUnavailableError('Redis did not store the run in time. Check that it is up.'));
    let timer = setTimeout(giveUp, worker.aborted ? lettingGoTimeoutMs : storeTimeoutMs);
    const hurry = () => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, lettingGoTimeoutMs);
    };
    worker.addEventListener('abort', hurry, { once: true });
    try {
      return await Promise.race([write, tooLate]);
    } finally {
      clearTimeout(timer);
      worker.removeEventListener('abort', hurry);
    }
  }
}
