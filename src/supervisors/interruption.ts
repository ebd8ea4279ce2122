import type { HeldRun } from './held-run.ts';
import type { RunStore } from './ports.ts';

/**
 * The two reasons to leave a run early, as one signal: a person cancelled it, or this worker must let go
 * (shutdown, lost lock). Dispose it when the run is left.
 */
export class Interruption implements Disposable {
  readonly #cancelled = new AbortController();
  readonly #held: HeldRun;
  readonly #worker: AbortSignal;
  readonly #unsubscribe: () => void;
  /** Fires for either reason. */
  readonly signal: AbortSignal;

  constructor(runs: RunStore, held: HeldRun, worker: AbortSignal) {
    this.#held = held;
    this.#worker = worker;
    this.signal = AbortSignal.any([worker, this.#cancelled.signal]);
    this.#unsubscribe = runs.onCancelled(held.run.id, () => this.#cancelled.abort(new Error('cancelled')));
  }

  /** Whether a person cancelled the run: the record tells it too, should the news of it be late. */
  get byPerson(): boolean {
    return this.#cancelled.signal.aborted || this.#held.run.cancellation !== undefined;
  }

  /** Whether this worker must let go, so that another one takes the run over. */
  get byWorker(): boolean {
    return this.#worker.aborted;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }
}
