import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { oncePerTrouble } from './redis-log.ts';

/** The queue of wakes: one job says "look at this machine". The truth is in the machine's inbox. */
export const wakeQueueName = 'wakes';

/** What a wake carries. */
export interface Wake {
  readonly machine: string;
}

const wakesAtOnce = 500;

/**
 * Wakes machines. A machine that is woken while it is driven is woken again afterwards; otherwise a second
 * wake changes nothing. What cannot be woken now has its work in its inbox all the same: the sweep finds it.
 */
export class Wakes {
  readonly #queue: Queue<Wake>;
  readonly #log: Logger;

  constructor(redis: Redis, prefix: string, log: Logger) {
    this.#log = log;
    this.#queue = new Queue<Wake>(wakeQueueName, {
      connection: redis,
      prefix,
      // While Redis is away a wake fails at once; the sweep makes up for it.
      skipWaitingForReady: true,
      // Nobody reads BullMQ's own event stream.
      streams: { events: { maxLen: 0 } },
    });
    this.#queue.on(
      'error',
      oncePerTrouble((error) => log.warn({ err: error }, 'wake queue')),
    );
  }

  /** Never rejects. */
  async wake(machines: Iterable<string>): Promise<void> {
    const jobs = Array.from(machines, (machine) => ({
      name: 'wake',
      data: { machine },
      opts: {
        deduplication: { id: machine, keepLastIfActive: true, reschedule: true },
        removeOnComplete: true,
        // A wake that failed is of no use to anybody: the sweep makes a new one.
        removeOnFail: true,
      },
    }));
    try {
      for (let at = 0; at < jobs.length; at += wakesAtOnce) {
        await this.#queue.addBulk(jobs.slice(at, at + wakesAtOnce));
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'machines were not woken; they start with the next sweep');
    }
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
