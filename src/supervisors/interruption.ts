import type { HeldRun } from './held-run.ts';
import type { RunStore } from './ports.ts';

/**
 * The three reasons to leave a run early, as one signal: a person cancelled it, its time is over, or this worker
 * must let go (shutdown, lost lock). Dispose it when the run is left.
 */
export class Interruption implements Disposable {
  readonly #cancelled = new AbortController();
  readonly #late = new AbortController();
  readonly #held: HeldRun;
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Fires for any reason. */
  readonly signal: AbortSignal;
  /** Fires when this worker must let go: the one reason to leave an action that has begun. */
  readonly worker: AbortSignal;

  /** @param timeLeftMs how long the run may still take; from 0 down its time is over */
  constructor(runs: RunStore, held: HeldRun, worker: AbortSignal, timeLeftMs: number) {
    this.#held = held;
    this.worker = worker;
    this.signal = AbortSignal.any([worker, this.#cancelled.signal, this.#late.signal]);
    this.#unsubscribe = runs.onCancelled(held.run.id, () => this.#cancelled.abort(new Error('cancelled')));
    const end = () => this.#late.abort(new Error('the time of the run is over'));
    if (timeLeftMs > 0) this.#timer = setTimeout(end, timeLeftMs);
    else end();
  }

  /** Whether a person cancelled the run: the record tells it too, should the news of it be late. */
  get byPerson(): boolean {
    return this.#cancelled.signal.aborted || this.#held.run.cancellation !== undefined;
  }

  /** Whether the run took longer than it may. */
  get byTime(): boolean {
    return this.#late.signal.aborted;
  }

  /** Whether this worker must let go, so that another one takes the run over. */
  get byWorker(): boolean {
    return this.worker.aborted;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }
}
