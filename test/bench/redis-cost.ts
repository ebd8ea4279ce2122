import type { Redis } from 'ioredis';

/** What a Redis server did since the last look. */
export interface RedisCost {
  /** Commands by name, those that scripts call too. */
  readonly commands: ReadonlyMap<string, number>;
  readonly cpuMs: number;
}

/** Looks, and begins to count anew. */
export async function redisCost(redis: Redis): Promise<RedisCost> {
  const [stats, cpu] = [await redis.info('commandstats'), await redis.info('cpu')];
  await redis.config('RESETSTAT');
  const commands = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(
    ([, name = '', calls]) => [name, Number(calls)] as const,
  );
  const seconds = [...cpu.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map((match) => Number(match[1]));
  return { commands: new Map(commands), cpuMs: seconds.reduce((sum, each) => sum + each, 0) * 1_000 };
}

export function commandCount({ commands }: RedisCost): number {
  return [...commands.values()].reduce((sum, calls) => sum + calls, 0);
}
