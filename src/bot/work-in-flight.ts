/** The listeners that are still at work. Bolt's own `stop` waits for none of them. */
export class WorkInFlight {
  readonly #tasks = new Set<Promise<unknown>>();

  /** Counts the task until it settles, and returns it unchanged. */
  track<Result>(task: Promise<Result>): Promise<Result> {
    const settled = task.then(
      () => undefined,
      () => undefined,
    );
    this.#tasks.add(settled);
    void settled.then(() => this.#tasks.delete(settled));
    return task;
  }

  /** Resolves when nothing is at work any more (true), or after `limitMs` (false). Never rejects. */
  async drain(limitMs: number): Promise<boolean> {
    const limit = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => limit.resolve('late'), limitMs);
    try {
      while (this.#tasks.size > 0) {
        if ((await Promise.race([Promise.all(this.#tasks), limit.promise])) === 'late') return false;
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }
}
