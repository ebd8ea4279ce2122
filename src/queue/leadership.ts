import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Keys } from './keys.ts';
import type { QueueSettings } from './queue-settings.ts';

export interface LeadershipOptions {
  /** A connection for requests: whoever lets go must not wait for a Redis that is away. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly settings: QueueSettings;
  readonly log: Logger;
}

/** Sees to it that a work is done by one process at a time. */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #holder = randomUUID();

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /**
   * Calls `work` whenever this process gets the lease `name`; its signal aborts when the lease could not be
   * renewed in time, or with the caller's. Resolves when `signal` aborts and the work has ended.
   */
  async lead(name: string, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { settings } = this.#options;
    while (!signal.aborted) {
      const until = performance.now() + settings.leaseMs;
      if (await this.#hold(name, settings.leaseMs)) {
        await this.#work(name, work, signal, until);
        // Where Redis is away, the lease runs out by itself.
        await this.#hold(name, 0);
      }
      await sleep(settings.leaseRenewalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** `until`: when the lease runs out, on the clock that nobody sets. */
  async #work(
    name: string,
    work: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
    until: number,
  ): Promise<void> {
    const { settings, log } = this.#options;
    const lost = new AbortController();
    const renew = async (): Promise<void> => {
      const askedAt = performance.now();
      const held = await this.#hold(name, settings.leaseMs);
      if (held) until = askedAt + settings.leaseMs;
      else if (held === false) lost.abort(new Error(`another process has the lease ${name}`));
      // Another process may have it before the next renewal.
      else if (askedAt + settings.leaseRenewalMs > until) lost.abort(new Error(`the lease ${name} ran out`));
    };
    const renewal = setInterval(() => void renew(), settings.leaseRenewalMs);
    try {
      log.info({ name }, 'leads from now on');
      await work(AbortSignal.any([signal, lost.signal]));
    } catch (error) {
      if (!signal.aborted && !lost.signal.aborted)
        log.error({ err: error, name }, 'the leading work broke off');
    } finally {
      clearInterval(renewal);
    }
  }

  /** Takes, renews or (0 ms) gives back the lease; undefined where Redis cannot be asked. */
  async #hold(name: string, ms: number): Promise<boolean | undefined> {
    const { redis, keys, log } = this.#options;
    try {
      return (await redis.lease(keys.prefix, name, this.#holder, ms)) === 1;
    } catch (error) {
      log.warn({ err: error, name }, 'the lease could not be asked for');
      return undefined;
    }
  }
}
