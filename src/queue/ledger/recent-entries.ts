import type { EntryPlace } from './check-chain.ts';

/** The last entries that were exported, as far back as the limit allows. */
export class RecentEntries {
  readonly #limit: number;
  readonly #positions = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add({ position, seq }: EntryPlace): void {
    this.#positions.delete(position);
    this.#positions.set(position, seq);
    for (const oldest of this.#positions.keys()) {
      if (this.#positions.size <= this.#limit) return;
      this.#positions.delete(oldest);
    }
  }

  has({ position, seq }: EntryPlace): boolean {
    return this.#positions.get(position) === seq;
  }

  /** '' where there is none. */
  get oldest(): string {
    return this.#positions.keys().next().value ?? '';
  }
}
