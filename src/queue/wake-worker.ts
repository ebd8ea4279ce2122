import { type Job, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Run } from '../fleet/run.ts';
import { inTime } from './in-time.ts';
import type { QueueSettings } from './queue-settings.ts';
import { oncePerTrouble } from './redis-log.ts';
import type { Claim } from './run-store.ts';
import { type Wake, wakeQueueName } from './wakes.ts';

const shutdownReason = 'shutdown';

/**
 * Drives one claimed run as far as it goes. `signal` aborts with reason `shutdown` when this process must
 * let go, or `lock-lost` when another worker may have the machine by now.
 */
export type Drive = (claim: Claim, signal: AbortSignal) => Promise<void>;

export interface WakeWorkerOptions {
  /** A connection for workers. */
  readonly redis: Redis;
  readonly settings: QueueSettings;
  /** Machines driven at the same time. */
  readonly concurrency: number;
  readonly claim: (machine: string, turn?: number) => Promise<Claim | undefined>;
  readonly drive: Drive;
  readonly wake: (machines: Iterable<string>) => Promise<void>;
  readonly log: Logger;
}

/** Takes wakes and drives their machines' runs. At most one job of a machine is active at a time. */
export class WakeWorker {
  readonly #options: WakeWorkerOptions;
  readonly #worker: Worker<Wake>;
  readonly #active = new Set<Promise<void>>();
  readonly #driven = new Map<string, Run>();
  #stopping = false;

  constructor(options: WakeWorkerOptions) {
    const { redis, settings, concurrency, log } = options;
    this.#options = options;
    // BullMQ hands over a signal only to a processor with three parameters.
    this.#worker = new Worker<Wake>(
      wakeQueueName,
      (job, token, signal) => this.#process(job, token, signal),
      {
        connection: redis,
        prefix: settings.prefix,
        concurrency,
        lockDuration: settings.lockDurationMs,
        stalledInterval: settings.stalledIntervalMs,
        maxStalledCount: settings.maxStalledCount,
      },
    );
    this.#worker.on(
      'error',
      oncePerTrouble((error) => log.warn({ err: error }, 'wake worker')),
    );
    this.#worker.on('lockRenewalFailed', (jobIds) => {
      for (const id of jobIds) this.#worker.cancelJob(id, 'lock-lost');
    });
  }

  /** The runs that are driven here now or were last, as they were when they were claimed. */
  driven(): readonly Run[] {
    return [...this.#driven.values()];
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /**
   * Takes no more wakes, aborts the runs in progress with reason `shutdown`, and hands their wakes over so
   * that another worker takes them at once. What has not let go within `closeTimeoutMs` is left to the
   * stalled check of the others. Redis may be away: no step waits for it for ever, so that the runs are told
   * in any case and can stop their agents.
   */
  async close(): Promise<void> {
    const { closeTimeoutMs, disconnectTimeoutMs } = this.#options.settings;
    this.#stopping = true;
    await this.#worker.pause(true);
    // A blocking read of ours that is still open would swallow the sign that a wake was handed over.
    await inTime(this.#worker.getBackend().disconnectBlocking(), disconnectTimeoutMs);
    this.#worker.cancelAllJobs(shutdownReason);
    const allLetGo = await inTime(Promise.allSettled(this.#active), closeTimeoutMs);
    await inTime(this.#worker.close(!allLetGo), disconnectTimeoutMs);
  }

  async #process(job: Job<Wake>, token = '', signal = new AbortController().signal): Promise<void> {
    const { machine } = job.data;
    if (!this.#stopping) {
      // Not thrown: a wake has no attempts to use up. The run stays the machine's current one.
      const turn = this.#turn(machine, signal).catch((error: unknown) => this.#brokeOff(machine, error));
      this.#active.add(turn);
      await turn;
      this.#active.delete(turn);
      this.#driven.delete(machine);
    }
    if (this.#stopping) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
  }

  /** A few runs, then the next machine's turn. */
  async #turn(machine: string, signal: AbortSignal): Promise<void> {
    const { claim, drive, wake, settings } = this.#options;
    let turn: number | undefined;
    let last: string | undefined;
    for (let item = 0; !signal.aborted; item += 1) {
      const next = await claim(machine, turn);
      // A run that was driven and is still here waits for the sweep instead of going round and round.
      if (next === undefined || next.run.id === last) return;
      // One too many was claimed only to see that there is more. It stays current for the next wake.
      if (item === settings.itemsPerWake) return wake([machine]);
      if (signal.aborted) return;
      turn ??= next.fence;
      last = next.run.id;
      this.#driven.set(machine, next.run);
      await drive(next, signal);
    }
  }

  #brokeOff(machine: string, error: unknown): void {
    const run = this.#driven.get(machine);
    const log = this.#options.log.child({ machine, run: run?.id, trace: run?.trace.traceId });
    if (error === shutdownReason) log.info('a turn is handed over to another worker');
    else log.error({ err: error }, 'a turn broke off; the next sweep goes on with it');
  }
}
