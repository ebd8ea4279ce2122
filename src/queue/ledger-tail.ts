import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type LedgerEntry, ledgerEntrySchema } from '../fleet/ledger-entry.ts';
import { ask } from './connect.ts';
import type { Keys } from './keys.ts';
import type { RedisLedger } from './ledger.ts';
import { json } from './records.ts';

/** Who brings to MLflow what people said of traces. */
export const mlflowReader = 'mlflow';

/** One entry of the ledger, on its way through a reader. */
export interface TailEntry {
  /** Later entries have later positions, also after Redis lost its last ones. */
  readonly position: string;
  readonly seq: number;
  /** undefined for a fact that this version of fleetbot does not know. */
  readonly entry: LedgerEntry | undefined;
}

/** An entry that the reader has passed, and for which it could not do yet what it does. */
export interface PutOff {
  readonly position: string;
  readonly entry: LedgerEntry;
  /** When that was tried first. */
  readonly since: number;
  /** As it stands in Redis. */
  readonly text: string;
}

const entryText = json.pipe(ledgerEntrySchema);
const putOffText = json.pipe(z.object({ position: z.string(), since: z.int(), entry: ledgerEntrySchema }));

export interface LedgerTailOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly ledger: RedisLedger;
  /** Name of the reader. */
  readonly reader: string;
}

/**
 * The ledger for a reader that does something for each entry. How far it is, and what it put off, stands in the Redis
 * that holds the ledger: where that loses its last second, it loses both, and entries come again. So every entry comes
 * at least once, as long as the ledger keeps it; it keeps what the reader has not passed, like what an exporter lacks,
 * from its first look on. Any number of processes may read; one at a time should. Rejects like requests do.
 */
export class RedisLedgerTail {
  readonly #options: LedgerTailOptions;

  constructor(options: LedgerTailOptions) {
    this.#options = options;
  }

  /** The entries after the last one that was passed, oldest first. */
  async next(limit: number): Promise<readonly TailEntry[]> {
    const { redis, keys, ledger, reader } = this.#options;
    const passed = await ask('look how far the ledger is read', redis.hget(keys.ledgerCursors(), reader));
    const stored = await ledger.read(passed ?? '', limit + 1);
    // From now on the ledger waits for this reader.
    if (passed === null) await this.pass({ position: '', seq: (stored[0]?.seq ?? 1) - 1 });
    return stored
      .filter(({ position }) => position !== passed)
      .slice(0, limit)
      .map(({ position, seq, entry }) => ({ position, seq, entry: entryText.safeParse(entry).data }));
  }

  /** Everything up to this entry is done. */
  async pass({ position, seq }: Pick<TailEntry, 'position' | 'seq'>): Promise<void> {
    const { redis, keys, clock, reader } = this.#options;
    await ask(
      'note how far the ledger is read',
      redis.passLedger(keys.prefix, reader, position, seq, clock()),
    );
  }

  /**
   * The same for one for which something is still to be done, not before a time.
   * @returns false where `most` were put off already: nothing was changed then
   */
  async putOff(
    entry: TailEntry & { readonly entry: LedgerEntry },
    until: number,
    most: number,
  ): Promise<boolean> {
    const { redis, keys, clock, reader } = this.#options;
    const now = clock();
    const text = JSON.stringify({ position: entry.position, since: now, entry: entry.entry });
    const reply = await ask(
      'put off an entry of the ledger',
      redis.passLedger(keys.prefix, reader, entry.position, entry.seq, now, most, until, text),
    );
    return reply === 1;
  }

  /** What was put off until now, the oldest first. */
  async due(limit: number): Promise<readonly PutOff[]> {
    const { redis, keys, clock, reader } = this.#options;
    const texts = await ask(
      'read what was put off of the ledger',
      redis.zrangebyscore(keys.ledgerPutOff(reader), '-inf', clock(), 'LIMIT', 0, limit),
    );
    return texts.flatMap((text) => {
      const read = putOffText.safeParse(text).data;
      return read === undefined ? [] : { ...read, text };
    });
  }

  async putOffAgain({ text }: PutOff, until: number): Promise<void> {
    const { redis, keys, reader } = this.#options;
    // XX: another process may have done it meanwhile.
    await ask('put off an entry again', redis.zadd(keys.ledgerPutOff(reader), 'XX', until, text));
  }

  /** It is done, or given up. */
  async forget({ text }: PutOff): Promise<void> {
    const { redis, keys, reader } = this.#options;
    await ask('forget an entry that was put off', redis.zrem(keys.ledgerPutOff(reader), text));
  }
}
