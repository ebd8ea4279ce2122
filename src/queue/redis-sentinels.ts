import { Redis } from 'ioredis';
import { placeOf, type RedisTrouble, redisTrouble } from './redis-trouble.ts';

const cure = 'Check FLEETBOT_REDIS_SENTINELS and that they run.';
const login = "FLEETBOT_REDIS_SENTINEL_PASSWORD, the sentinels' own";

/**
 * Asks every sentinel of a connection once and tells what is wrong with the first that fails, a final trouble
 * first; undefined when all answer. ioredis itself tells of a sentinel only that its connection was closed.
 */
export async function sentinelTrouble(redis: Redis): Promise<RedisTrouble | undefined> {
  const { sentinels, sentinelTLS: tls, sentinelPassword: password, connectTimeout } = redis.options;
  const place = placeOf(redis);
  const asked = (sentinels ?? []).map(async ({ host, port }) => {
    const sentinel = new Redis({
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
      ...(tls && { tls }),
      ...(password != null && { password }),
      ...(connectTimeout !== undefined && { connectTimeout, commandTimeout: connectTimeout }),
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
    });
    let told: unknown;
    sentinel.on('error', (error) => {
      told ??= error;
    });
    const failed = await sentinel.ping().catch((error: unknown) => told ?? error);
    sentinel.disconnect();
    if (failed === 'PONG') return undefined;
    return redisTrouble(failed, { ...place, server: `the sentinel ${host}:${port}`, cure, login });
  });
  const troubles = (await Promise.all(asked)).filter((trouble) => trouble !== undefined);
  return troubles.find(({ final }) => final) ?? troubles[0];
}
