/** A work that takes longer gives its place up, so that machines that do not answer hold up no others. */
const placeHeldMaxMs = 3_000;

/** Lets so many works begin at a time, in order. One that takes longer than `placeHeldMaxMs` goes on without a place. */
export class Places {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Does the work when there is a place for it. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    await this.#place();
    let held = true;
    const giveUp = () => {
      if (held) this.#leave();
      held = false;
    };
    const timer = setTimeout(giveUp, placeHeldMaxMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      giveUp();
    }
  }

  async #place(): Promise<void> {
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free -= 1;
  }

  /** Hands the place to the next one. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
