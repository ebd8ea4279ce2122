import { StoreUnavailableError } from '../fleet/errors.ts';
import { moveRun, type Run, type RunState } from '../fleet/run.ts';
import type { Claim, Clock, Quarantine, RunStore } from './ports.ts';

/**
 * The run that this worker holds: its newest record and the fence under which it may be written. Every write
 * throws StaleFenceError when another worker holds the machine, and StoreUnavailableError after the limit, so
 * that a store that is away cannot keep an agent alive. Such a write may still happen later; being a
 * compare-and-set, it then either is the one meant here or does nothing.
 */
export class HeldRun {
  readonly #store: RunStore;
  readonly #clock: Clock;
  readonly #storeTimeoutMs: number;
  #run: Run;
  #fence: number;

  constructor(claim: Claim, store: RunStore, clock: Clock, storeTimeoutMs: number) {
    this.#run = claim.run;
    this.#fence = claim.fence;
    this.#store = store;
    this.#clock = clock;
    this.#storeTimeoutMs = storeTimeoutMs;
  }

  get run(): Run {
    return this.#run;
  }

  get fence(): number {
    return this.#fence;
  }

  /** Raises the fence above what the machine has seen. With the own fence: after a `stop`, which retires it. */
  async raiseFence(seen: number): Promise<void> {
    if (seen < this.#fence) return;
    this.#fence = await this.#inTime(this.#store.raiseFence(this.#run.request.machine, this.#fence, seen));
  }

  /** Stores the next state. */
  async move(to: RunState, changes: Partial<Run> = {}): Promise<void> {
    await this.#save(moveRun(this.#run, to, this.#clock(), changes));
  }

  /** Stores changes within the state. */
  async note(changes: Partial<Run>): Promise<void> {
    await this.#save({ ...this.#run, ...changes });
  }

  /** Sets or (with undefined) clears the machine's quarantine. */
  async setQuarantine(quarantine: Quarantine | undefined): Promise<void> {
    const { machine } = this.#run.request;
    await this.#inTime(this.#store.setQuarantine(machine, this.#fence, quarantine));
  }

  async #save(next: Run): Promise<void> {
    this.#run = await this.#inTime(this.#store.save(next, this.#run.state, this.#fence));
  }

  async #inTime<T>(write: Promise<T>): Promise<T> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new StoreUnavailableError('Redis did not store the run in time. Check that it is up.')),
      this.#storeTimeoutMs,
    );
    try {
      return await Promise.race([write, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}
