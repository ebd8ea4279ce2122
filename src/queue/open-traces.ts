import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Run } from '../fleet/run.ts';
import type { Keys } from './keys.ts';
import type { QueueSettings } from './queue-settings.ts';
import { readStoredRun, runFields } from './records.ts';

export interface OpenTracesOptions {
  /** A connection for workers. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly settings: Pick<QueueSettings, 'traceGraceMs' | 'tracedDelayMs' | 'tracesAtOnce'>;
  readonly log: Logger;
}

/**
 * The runs that are done and whose traces nobody is known to have ended. The script that ends a run adds it in the same
 * step (`finish.lua`); whoever has ended its trace takes it out. What is left after a while was ended by a process that
 * was killed before it came to the trace.
 */
export class OpenTraces {
  readonly #options: OpenTracesOptions;
  #ended: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OpenTracesOptions) {
    this.#options = options;
  }

  /**
   * Notes that the run's trace was ended. Returns at once: it is taken out a little later, with others. Where that does
   * not come about, its trace is ended once more, which changes nothing.
   */
  ended(runId: string): void {
    this.#ended.push(runId);
    this.#timer ??= setTimeout(() => this.#takeOut(), this.#options.settings.tracedDelayMs).unref();
  }

  /** The oldest of those that are left. One whose record is gone, or cannot be read, is left no longer. */
  async left(): Promise<readonly Run[]> {
    const { redis, keys, settings } = this.#options;
    const [seconds] = await redis.time();
    const endedBy = Number(seconds) * 1_000 - settings.traceGraceMs;
    const limit = ['LIMIT', 0, settings.tracesAtOnce] as const;
    const ids = await redis.zrangebyscore(keys.openTraces(), 0, endedBy, ...limit);
    const stored = await Promise.all(ids.map((id) => redis.hmget(keys.run(id), ...runFields)));
    return ids.flatMap((id, nth) => this.#read(id, stored[nth] ?? []) ?? []);
  }

  #read(id: string, fields: readonly (string | null)[]): Run | undefined {
    try {
      const run = readStoredRun(fields)?.run;
      if (run === undefined) this.ended(id);
      return run;
    } catch (error) {
      this.#options.log.error(
        { err: error, run: id },
        'the trace of a run whose record cannot be read has no end',
      );
      this.ended(id);
      return undefined;
    }
  }

  #takeOut(): void {
    const { redis, keys, log } = this.#options;
    const ids = this.#ended.splice(0);
    this.#timer = undefined;
    redis.zrem(keys.openTraces(), ...ids).catch((error: unknown) => {
      log.debug({ err: error, runs: ids }, 'traces that were ended are ended once more');
    });
  }
}
