import { z } from 'zod';
import { type HandOver, handOverSchema } from '../fleet/hand-over.ts';
import type { HandOverMove } from '../fleet/hand-over-moves.ts';
import { ask } from './connect.ts';
import { ledgerText } from './ledger.ts';
import { json } from './records.ts';
import type { StoreOptions } from './store-options.ts';
import { viewScore } from './view-score.ts';

const saveReply = z.union([z.literal(0), z.literal(1)]);
/** The JSON of one. */
export const storedHandOver = json.pipe(handOverSchema);

/** What the scripts store of a hand-over: id, JSON, when somebody is called next ('' where it is over). */
export function handOverArguments(handOver: HandOver): [id: string, body: string, nextAt: number | ''] {
  return [handOver.id, JSON.stringify(handOver), handOver.nextAt ?? ''];
}

/**
 * Hand-overs in Redis. Each begins in the very step that settles its question (see `save-settled.ts`). Rejects with
 * StoreUnavailableError like requests do.
 */
export class RedisHandOvers {
  readonly #options: Omit<StoreOptions, 'wake' | 'log'>;

  constructor(options: Omit<StoreOptions, 'wake' | 'log'>) {
    this.#options = options;
  }

  async handOver(id: string): Promise<HandOver | undefined> {
    const body = await this.#read(id);
    return body === null ? undefined : storedHandOver.parse(body);
  }

  /** The ids of those of which somebody is to be called, the longest due first. */
  async due(now: number): Promise<readonly string[]> {
    const { redis, keys } = this.#options;
    return ask('look for whom to call', redis.zrangebyscore(keys.handOversDue(), 0, now));
  }

  /**
   * Changes a hand-over, again and again until nobody was faster; `change` returns undefined to leave it. Returns it as
   * it is stored at the end: the very object that `change` returned, where that is what was stored.
   */
  async change(
    id: string,
    change: (handOver: HandOver) => HandOverMove | undefined,
  ): Promise<HandOver | undefined> {
    const { redis, keys, disk, clock, settings } = this.#options;
    for (;;) {
      const before = await this.#read(id);
      if (before === null) return undefined;
      const stored = storedHandOver.parse(before);
      const move = change(stored);
      if (move === undefined) return stored;
      const reply = await ask(
        'store a hand-over',
        redis.saveHandOver(
          keys.prefix,
          ...[before, ...handOverArguments(move.handOver)],
          ...[settings.recordsKeptMs, viewScore('decision', clock())],
          ...[settings.ledgerEntriesMax, ...move.entries.map(ledgerText)],
        ),
      );
      if (saveReply.parse(reply) === 0) continue;
      await ask('put a hand-over on disk', disk.confirm());
      return move.handOver;
    }
  }

  async #read(id: string): Promise<string | null> {
    const { redis, keys } = this.#options;
    return ask('read a hand-over', redis.get(keys.handOver(id)));
  }
}
