import { Redis, type RedisOptions } from 'ioredis';
import { vi } from 'vitest';
import type { SentinelHost } from '../../src/queue/redis-access.ts';
import {
  type ConfiguredRedis,
  type ConfiguredRedisOptions,
  startConfiguredRedis,
} from './configured-redis.ts';

/** What the sentinels call the primary. */
export const masterName = 'fleet-primary';

/** A primary and a replica, and three sentinels that watch them. */
export interface WatchedRedis extends AsyncDisposable {
  readonly primary: ConfiguredRedis;
  readonly replica: ConfiguredRedis;
  readonly sentinels: readonly ConfiguredRedis[];
  /** The sentinels, as fleetbot is told them. */
  readonly hosts: readonly SentinelHost[];
  /** Resolves when the replica has what the primary has. */
  inStep(): Promise<void>;
}

export interface WatchedRedisOptions extends Pick<ConfiguredRedisOptions, 'files' | 'tls'> {
  /** Lines for both servers. */
  readonly config?: readonly string[];
  /** Lines for every sentinel. */
  readonly sentinelConfig?: readonly string[];
  /** How an administrator speaks to the servers. */
  readonly admin?: Omit<RedisOptions, 'replyMapping'>;
  /** How one speaks to the sentinels. */
  readonly asker?: Omit<RedisOptions, 'replyMapping'>;
}

const downAfterMs = 1_000;
const failoverTimeoutMs = 5_000;
const sentinelCount = 3;
const readyTimeoutMs = 40_000;

/** Starts them. Resolves when the replica is in step and every sentinel knows all of the others. */
export async function startWatchedRedis(options: WatchedRedisOptions = {}): Promise<WatchedRedis> {
  const { config = [], sentinelConfig = [], admin = {}, asker = {}, ...common } = options;
  await using parts = new AsyncDisposableStack();
  const start = async (own: ConfiguredRedisOptions): Promise<ConfiguredRedis> => {
    const server = await startConfiguredRedis({ ...common, ...own });
    parts.defer(() => server.stop());
    return server;
  };
  const primary = await start({ config });
  const replica = await start({ config: [...config, `replicaof 127.0.0.1 ${primary.port}`] });
  const sentinels: ConfiguredRedis[] = [];
  for (let n = 0; n < sentinelCount; n += 1) {
    const lines = [
      `sentinel monitor ${masterName} 127.0.0.1 ${primary.port} 2`,
      `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
      `sentinel failover-timeout ${masterName} ${failoverTimeoutMs}`,
    ];
    sentinels.push(await start({ sentinel: true, config: [...lines, ...sentinelConfig] }));
  }
  const hosts = sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
  const step = new Redis({ ...admin, host: '127.0.0.1', port: primary.port });
  // The test kills it.
  step.on('error', () => {});
  parts.defer(() => step.disconnect());
  const inStep = async (): Promise<void> => {
    await vi.waitFor(
      async () => {
        const info = await step.info('replication');
        const offset = /^master_repl_offset:(\d+)/m.exec(info)?.[1];
        if (!info.includes(`state=online,offset=${offset},`)) throw new Error(`not in step: ${info}`);
      },
      { timeout: readyTimeoutMs },
    );
  };
  await inStep();
  for (const sentinel of hosts) {
    const client = new Redis({ ...asker, ...sentinel });
    parts.defer(() => client.disconnect());
    client.on('error', () => {});
    await vi.waitFor(
      async () => {
        const info = await client.info('sentinel');
        if (!info.includes(`status=ok,address=127.0.0.1:${primary.port},slaves=1,sentinels=${sentinelCount}`))
          throw new Error(`not all known: ${info}`);
      },
      { timeout: readyTimeoutMs },
    );
  }
  const all = parts.move();
  return { primary, replica, sentinels, hosts, inStep, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
