/**
 * Does what several ask for at once: one work of a key is under way at a time, and whoever comes meanwhile shares the
 * next one. So a storm of small works on one record becomes a few large ones.
 */
export class Together<Item> {
  readonly #work: (items: readonly Item[]) => Promise<void>;
  readonly #last = new Map<string, Promise<void>>();
  readonly #next = new Map<string, { readonly items: Item[]; readonly done: Promise<void> }>();

  /** @param work gets items of one key, in the order in which they came; where it fails, it failed for each of them */
  constructor(work: (items: readonly Item[]) => Promise<void>) {
    this.#work = work;
  }

  /** Resolves when the work with this item is done. */
  add(key: string, item: Item): Promise<void> {
    const next = this.#next.get(key) ?? this.#begin(key);
    next.items.push(item);
    return next.done;
  }

  #begin(key: string): { readonly items: Item[]; readonly done: Promise<void> } {
    const items: Item[] = [];
    const work = async (): Promise<void> => {
      await this.#last.get(key)?.catch(() => undefined);
      this.#next.delete(key);
      const underWay = this.#work(items);
      this.#last.set(key, underWay);
      try {
        await underWay;
      } finally {
        if (this.#last.get(key) === underWay) this.#last.delete(key);
      }
    };
    const next = { items, done: work() };
    this.#next.set(key, next);
    return next;
  }
}
