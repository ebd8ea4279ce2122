import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { EdgeMachine } from '../../../support/edge-machines/edge-machine.ts';
import { secretFile } from './rules.ts';

/** Stands beside the secrets wherever what holds them was told, hidden. */
export const besideSecrets = `region-${randomBytes(4).toString('hex')}`;

const hex = () => randomBytes(12).toString('hex');

/** Secrets by where they were planted, none of which may be found anywhere else. */
export const secrets = {
  'a password in a file': hex(),
  'a token in a file': `ghp_${randomBytes(18).toString('hex')}`,
  'a password in a question': hex(),
  'a password in the reason of a denial': hex(),
  'a password in the reason of a rating': hex(),
} as const;

/** What somebody left in a file that checks and agents read. */
export function leaveSecrets(machine: EdgeMachine): void {
  const lines = [
    `region = ${besideSecrets}`,
    `password = ${secrets['a password in a file']}`,
    `upstream = https://ci:${secrets['a token in a file']}@git.example.com/app`,
  ];
  machine.write(secretFile, `${lines.join('\n')}\n`);
}

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

/** What a machine's programs print, and what its collector keeps. */
export async function everythingOnMachine(machine: EdgeMachine): Promise<Buffer> {
  const journal = await machine.run(['journalctl', '--no-pager', '--output', 'json', '--all']);
  const copies = await machine.run([
    ...['find', '/', '-xdev', '-path', '*/copy/*', '-name', 'spans*.jsonl', '-exec', 'cat', '{}', '+'],
  ]);
  return Buffer.from(journal + copies);
}
