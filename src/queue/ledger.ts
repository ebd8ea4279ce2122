import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { ask } from './connect.ts';
import type { Disk } from './durability.ts';
import type { Keys } from './keys.ts';
import type { QueueSettings } from './queue-settings.ts';

const rangeReply = z.array(z.tuple([z.string(), z.array(z.string())]));
const trimReply = z.array(z.string());
const toldSeq = /^\d+/;

/** One entry as it stands in Redis. */
interface StoredEntry {
  /** Later entries have later positions, also after Redis lost its last ones. */
  readonly position: string;
  /** Counts up by one; shows a gap. */
  readonly seq: number;
  /** The JSON text of a LedgerEntry. */
  readonly entry: string;
}

/** How much of the ledger is in Redis, and how much of that an exporter still lacks. */
interface LedgerState {
  readonly entries: number;
  readonly unexported: number;
}

/** The text that scripts append. Its form is what exporters hash: `JSON.stringify` and nothing else. */
export function ledgerText(entry: LedgerEntry): string {
  return JSON.stringify(entry);
}

export interface LedgerOptions {
  readonly redis: Redis;
  readonly disk: Disk;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
}

/**
 * The ledger in Redis. What happens to runs, halts and quarantines is appended by the scripts that do it, in the
 * same step; the rest comes through here. Resolves when it is on disk; rejects like requests do.
 */
export class RedisLedger {
  readonly #options: LedgerOptions;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  async append(entry: LedgerEntry): Promise<void> {
    await this.#append(entry, '', '');
  }

  /** Appends unless the slot holds the value already, which it does afterwards. Returns whether it did. */
  async appendOnce(slot: string, value: string, entry: LedgerEntry): Promise<boolean> {
    return this.#append(entry, slot, value);
  }

  /** The entries from a position on, that one included ('' for the oldest that is kept), oldest first. */
  async read(from: string, limit: number): Promise<readonly StoredEntry[]> {
    const { redis, keys } = this.#options;
    const start = from === '' ? '-' : from;
    const reply = await ask('read the ledger', redis.xrange(keys.ledger(), start, '+', 'COUNT', limit));
    return rangeReply.parse(reply).map(([position, fields]) => {
      const { seq, entry } = Object.fromEntries(pairs(fields));
      return { position, seq: z.coerce.number().parse(seq), entry: z.string().parse(entry) };
    });
  }

  /** Entries up to `seq` are on the exporter's disk, so that they may be trimmed. */
  async exported(exporter: string, seq: number): Promise<void> {
    const { redis, keys, clock } = this.#options;
    const told = redis.hset(keys.ledgerExporters(), exporter, `${seq} ${clock()}`);
    await ask('note what is exported', told);
  }

  async state(): Promise<LedgerState> {
    const { redis, keys } = this.#options;
    const [entries, seq, told, readers] = await ask(
      'look at the ledger',
      Promise.all([
        redis.xlen(keys.ledger()),
        redis.get(keys.ledgerSeq()),
        redis.hgetall(keys.ledgerExporters()),
        redis.hgetall(keys.ledgerCursors()),
      ]),
    );
    const exporters = Object.entries(told).filter(([name]) => readers[name] === undefined);
    const seqs = exporters.map(([, text]) => Number(toldSeq.exec(text)?.[0] ?? 0));
    return { entries, unexported: Math.max(0, ...seqs.map((has) => Number(seq ?? 0) - has)) };
  }

  /**
   * Trims what is neither kept for readers nor lacked by an exporter. Returns the exporters that told nothing for
   * too long and are no longer waited for.
   */
  async trim(): Promise<readonly string[]> {
    const { redis, keys, clock, settings } = this.#options;
    const reply = await ask(
      'trim the ledger',
      redis.trimLedger(keys.prefix, settings.ledgerEntriesKept, settings.exporterForgottenMs, clock()),
    );
    return trimReply.parse(reply);
  }

  async #append(entry: LedgerEntry, slot: string, value: string): Promise<boolean> {
    const { redis, keys, settings, disk } = this.#options;
    const reply = await ask(
      'write the ledger',
      redis.appendToLedger(keys.prefix, settings.ledgerEntriesMax, ledgerText(entry), slot, value),
    );
    await ask('put the ledger on disk', disk.confirm());
    return reply === 1;
  }
}

function* pairs(fields: readonly string[]): Generator<[string, string]> {
  for (let at = 0; at + 1 < fields.length; at += 2) yield [fields[at] ?? '', fields[at + 1] ?? ''];
}
