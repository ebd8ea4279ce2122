import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type FactPage, type FactReader, storedAt } from '../fleet/audit/fact.ts';
import { readFact } from '../fleet/audit/read-fact.ts';
import { ask } from './connect.ts';
import type { Keys } from './keys.ts';

/** Entries that Redis hands out, and that are read, in one go: some milliseconds of each. */
const pageEntries = 500;

const rangeReply = z.array(z.tuple([z.string(), z.array(z.string())]));
type Range = z.infer<typeof rangeReply>;

/** The ledger in Redis, read by time in small pages. Rejects with StoreUnavailableError like requests do. */
export class LedgerFacts implements FactReader {
  readonly #redis: Redis;
  readonly #key: string;

  constructor({ redis, keys }: { readonly redis: Redis; readonly keys: Keys }) {
    this.#redis = redis;
    this.#key = keys.ledger();
  }

  backwards(before: number): AsyncIterable<FactPage> {
    return this.#pages((last) =>
      this.#redis.xrevrange(this.#key, last ?? String(before - 1), '-', 'COUNT', pageEntries),
    );
  }

  forwards(from: number): AsyncIterable<FactPage> {
    return this.#pages((last) =>
      this.#redis.xrange(this.#key, last ?? String(from), '+', 'COUNT', pageEntries),
    );
  }

  async begins(): Promise<number | undefined> {
    const reply = await ask('read the ledger', this.#redis.xrange(this.#key, '-', '+', 'COUNT', 1));
    const [first] = rangeReply.parse(reply);
    return first === undefined || textOf(first, 'seq') === '1' ? undefined : storedAt(first[0]);
  }

  /** @param next reads the page after the last entry of the one before, which the id excludes */
  async *#pages(next: (last: string | undefined) => Promise<unknown>): AsyncGenerator<FactPage> {
    let last: string | undefined;
    for (;;) {
      const entries = rangeReply.parse(await ask('read the ledger', next(last)));
      const facts = entries.flatMap((entry) => readFact(entry[0], textOf(entry, 'entry')) ?? []);
      yield { facts, unreadable: entries.length - facts.length };
      const end = entries.at(-1);
      if (end === undefined || entries.length < pageEntries) return;
      last = `(${end[0]}`;
      // Others get their turn, also where Redis answers at once.
      await nextTurn();
    }
  }
}

/** The value of a field of an entry; '' where it has none. */
function textOf([, fields]: Range[number], name: string): string {
  return fields[fields.indexOf(name) + 1] ?? '';
}
