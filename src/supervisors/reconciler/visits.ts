/** One visit to a machine at a time. */
export class Visits<Result> {
  readonly #work: (machine: string) => Promise<Result>;
  readonly #running = new Map<string, Promise<Result>>();
  readonly #next = new Map<string, Promise<Result>>();

  /** @param work must not reject */
  constructor(work: (machine: string) => Promise<Result>) {
    this.#work = work;
  }

  /** Resolves when a visit has ended that began after this call. */
  visit(machine: string): Promise<Result> {
    const known = this.#next.get(machine);
    if (known) return known;
    const running = this.#running.get(machine);
    if (!running) return this.#begin(machine);
    const next = running.then(() => this.#begin(machine));
    this.#next.set(machine, next);
    return next;
  }

  #begin(machine: string): Promise<Result> {
    this.#next.delete(machine);
    const visit = this.#work(machine).finally(() => {
      if (this.#running.get(machine) === visit) this.#running.delete(machine);
    });
    this.#running.set(machine, visit);
    return visit;
  }
}
