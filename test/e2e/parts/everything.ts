import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** The files under a folder of this computer. */
export function filesUnder(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** All that stands in these folders. */
export function everythingUnder(folders: readonly string[]): Buffer {
  return Buffer.concat(folders.flatMap(filesUnder).map((file) => readFileSync(file)));
}

/** Every key of a Redis with its value, as text. */
export async function everythingInRedis(url: string): Promise<Buffer> {
  const redis = new Redis(url);
  const readers: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    string: (key) => redis.get(key),
    hash: (key) => redis.hgetall(key),
    list: (key) => redis.lrange(key, 0, -1),
    set: (key) => redis.smembers(key),
    zset: (key) => redis.zrange(key, '0', '-1'),
    stream: (key) => redis.xrange(key, '-', '+'),
  };
  try {
    const values: string[] = [];
    for (const key of await redis.keys('*'))
      values.push(key, JSON.stringify(await readers[await redis.type(key)]?.(key)));
    return Buffer.from(values.join('\n'));
  } finally {
    redis.disconnect();
  }
}
