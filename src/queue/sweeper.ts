import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { RedisLedger } from './ledger.ts';
import type { QueueSettings } from './queue-settings.ts';
import { oncePerTrouble } from './redis-log.ts';

/** A queue of its own, so that a sweep never waits behind the wakes it should make up for. */
const sweepQueueName = 'sweeps';

export interface SweeperOptions {
  /** A connection for workers. */
  readonly redis: Redis;
  readonly settings: QueueSettings;
  readonly ledger: RedisLedger;
  /** Wakes every machine that has an inbox or a current run. */
  readonly wakeBusy: () => Promise<void>;
  /** Ends the traces of runs that are done which nobody else has ended. */
  readonly endTraces: () => Promise<void>;
  readonly log: Logger;
}

/**
 * Wakes every machine that has an inbox or a current run, every `sweepIntervalMs`, once for all workers
 * together, and so makes up for every wake that was lost; and for every trace whose end was. Trims the ledger.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #queue: Queue;
  readonly #worker: Worker;

  constructor(options: SweeperOptions) {
    const { redis, settings, log } = options;
    const connection = { connection: redis, prefix: settings.prefix };
    this.#options = options;
    this.#queue = new Queue(sweepQueueName, connection);
    this.#worker = new Worker(sweepQueueName, () => this.#sweep(), {
      ...connection,
      lockDuration: settings.lockDurationMs,
      stalledInterval: settings.stalledIntervalMs,
      maxStalledCount: settings.maxStalledCount,
    });
    this.#queue.on(
      'error',
      oncePerTrouble((error) => log.warn({ err: error }, 'sweep queue')),
    );
    this.#worker.on(
      'error',
      oncePerTrouble((error) => log.warn({ err: error }, 'sweeper')),
    );
  }

  /** Sets the schedule; any number of workers may. */
  async start(): Promise<void> {
    await this.#queue.upsertJobScheduler(
      'sweep',
      { every: this.#options.settings.sweepIntervalMs },
      { name: 'sweep', opts: { removeOnComplete: true, removeOnFail: true } },
    );
  }

  async close(): Promise<void> {
    await this.#worker.close();
    await this.#queue.close();
  }

  async #sweep(): Promise<void> {
    const { wakeBusy, endTraces, ledger, log } = this.#options;
    await wakeBusy();
    await endTraces();
    const forgotten = await ledger.trim();
    if (forgotten.length > 0) {
      log.warn(
        { exporters: forgotten },
        'ledger exporters that told nothing for too long are not waited for',
      );
    }
  }
}
