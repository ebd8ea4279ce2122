/** How a visit to a machine ended. */
export type VisitResult = 'settled' | 'unsettled' | 'unreachable';

/** Longest time between two visits to a machine that needs attention and cannot be helped. */
const backOffMaxMs = 120_000;

interface Watched {
  /** What is wanted of the machine; something new is worth a visit at once. */
  readonly want: string;
  failures: number;
  nextAt: number;
}

/** Decides when a machine that needs attention is visited again: less and less often while it does not help. */
export class Attention {
  readonly #intervalMs: number;
  #watched = new Map<string, Watched>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * The machines to visit now, of those that need attention.
   * @param wants by machine; whatever is not there needs none any more
   */
  due(wants: ReadonlyMap<string, string>, now: number): readonly string[] {
    const watched = new Map<string, Watched>();
    const due: string[] = [];
    for (const [machine, want] of wants) {
      const known = this.#watched.get(machine);
      const state = known?.want === want ? known : { want, failures: 0, nextAt: now };
      watched.set(machine, state);
      if (state.nextAt > now) continue;
      // Until the visit has ended: one at a time.
      state.nextAt = Number.POSITIVE_INFINITY;
      due.push(machine);
    }
    this.#watched = watched;
    return due;
  }

  /** A visit has ended. */
  ended(machine: string, result: VisitResult, now: number): void {
    const state = this.#watched.get(machine);
    if (!state) return;
    state.failures = result === 'settled' ? 0 : state.failures + 1;
    state.nextAt = now + Math.min(this.#intervalMs * 2 ** Math.max(0, state.failures - 1), backOffMaxMs);
  }
}
