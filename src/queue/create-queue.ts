import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { RedisSlackBudget } from './budget.ts';
import { Cancellations } from './cancellations.ts';
import { ask, connectForRequests, connectForWorkers, loginProblem, whenConnected } from './connect.ts';
import { Disk } from './durability.ts';
import { createIds, type RandomBytes } from './ids.ts';
import { inTime } from './in-time.ts';
import { Keys } from './keys.ts';
import { type QueueSettings, queueDefaults } from './queue-settings.ts';
import { RedisRequests } from './requests.ts';
import { RedisRunStore } from './run-store.ts';
import { checkSafety } from './safety.ts';
import { slackLimits } from './slack-limits.ts';
import { Sweeper } from './sweeper.ts';
import { RedisViews } from './views.ts';
import { type Drive, WakeWorker } from './wake-worker.ts';
import { Wakes } from './wakes.ts';

export interface QueueOptions {
  readonly redisUrl: string;
  readonly log: Logger;
  /** What differs from `queueDefaults`. */
  readonly settings?: Partial<QueueSettings>;
  readonly clock?: () => number;
  readonly random?: RandomBytes;
}

/** Everything that is kept in Redis, behind the ports of the rooms that use it. */
export interface Queue {
  readonly requests: RedisRequests;
  readonly views: RedisViews;
  readonly budget: RedisSlackBudget;
  readonly runs: RedisRunStore;
  /** Whether Redis answers now. */
  ready(): Promise<boolean>;
  /** Begins to take wakes and to sweep: this process is a worker from now on. Once. */
  work(drive: Drive, options: { readonly concurrency: number }): Promise<void>;
  /** Hands over what is in progress (see WakeWorker.close) and disconnects. */
  close(): Promise<void>;
}

/**
 * Connects, and looks whether this Redis keeps what is promised.
 * @throws SettingsError when it refuses the login, or the user may not do what is needed
 * @throws StoreUnavailableError when it does not answer
 * @throws StoreUnsafeError when it may lose or evict records
 */
export async function createQueue(options: QueueOptions): Promise<Queue> {
  const { log, clock = Date.now, random = randomBytes } = options;
  const settings = { ...queueDefaults, ...options.settings };
  const keys = new Keys(settings.prefix);

  const forRequests = connectForRequests(options.redisUrl, log, settings.requestTimeoutMs);
  const forWorkers = connectForWorkers(options.redisUrl, log);
  const forMessages = connectForWorkers(options.redisUrl, log);
  const connections = [forRequests, forWorkers, forMessages];
  const disconnect = (): void => {
    for (const connection of connections) connection.disconnect();
  };

  try {
    await Promise.all(connections.map((connection) => whenConnected(connection, settings.connectTimeoutMs)));
    const durability = await ask(
      'tell its version and settings',
      checkSafety(forRequests, settings.allowUnsafe, log).catch((error: unknown) => {
        throw loginProblem(error) ?? error;
      }),
    );
    const disk = new Disk(forRequests, durability, settings.fsyncTimeoutMs);
    const wakes = new Wakes(forRequests, settings.prefix, log);
    const wake = (machines: Iterable<string>): Promise<void> => wakes.wake(machines);
    const cancellations = new Cancellations(forWorkers, forMessages, keys, log);
    const runs = new RedisRunStore({
      ...{ keys, clock, settings, cancellations },
      redis: forWorkers,
      disk: new Disk(forWorkers, durability, settings.fsyncTimeoutMs),
    });
    let worker: WakeWorker | undefined;
    let sweeper: Sweeper | undefined;

    return {
      requests: new RedisRequests({
        ...{ disk, keys, clock, settings, log, wake },
        redis: forRequests,
        ids: createIds(random),
      }),
      views: new RedisViews({ redis: forRequests, disk, keys, settings }),
      budget: new RedisSlackBudget(forRequests, keys, slackLimits),
      runs,
      ready: async () => (await forRequests.ping()) === 'PONG',
      async work(drive, { concurrency }) {
        await cancellations.start();
        worker = new WakeWorker({
          ...{ settings, concurrency, drive, wake, log },
          redis: forWorkers,
          claim: (machine, turn) => runs.claim(machine, turn),
        });
        sweeper = new Sweeper({ redis: forWorkers, keys, settings, wake, log });
        await Promise.all([worker.ready(), sweeper.start()]);
      },
      async close() {
        await worker?.close();
        // Where Redis is away, these would not end.
        await inTime(Promise.all([sweeper?.close(), wakes.close()]), settings.disconnectTimeoutMs);
        disconnect();
      },
    };
  } catch (error) {
    disconnect();
    throw error;
  }
}
