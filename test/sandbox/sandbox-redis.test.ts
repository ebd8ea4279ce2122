import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/sandbox/free-port.ts';
import { openRedis } from '../../src/sandbox/sandbox-redis.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const prefix = '{fleetbot-sandbox-aaaaaa}';
/** More than one answer of SCAN. */
const manyKeys = 1_200;
let theirs: TestRedis;
let folder: string;

beforeAll(async () => {
  theirs = await startTestRedis();
  folder = mkdtempSync(join(tmpdir(), 'fleetbot-sandbox-redis-'));
});
afterAll(async () => {
  await theirs.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("the sandbox's Redis", () => {
  it('is the server of REDIS_URL, where it removes its own keys at the end and no others', async () => {
    const told: string[] = [];
    const url = theirs.url.replace('redis://', 'redis://default:a-password@');
    const client = new Redis(theirs.url);
    await client.config('SET', 'requirepass', 'a-password');
    const opened = await openRedis({ url, prefix, folder, tell: (line) => told.push(line) });
    expect(opened).toMatchObject({ url, prefix });
    expect(told).toEqual([expect.stringContaining(`127.0.0.1:${theirs.port}`)]);
    expect(told.join()).toContain(prefix);
    expect(told.join()).not.toContain('a-password');

    const others = ['{fleetbot}:busy', '{fleetbot-sandbox-bbbbbb}:busy', 'mine'];
    await client.mset([...others, ...ours()].flatMap((key) => [key, 'x']));
    await opened.close();
    expect((await client.keys('*')).sort()).toEqual(others.sort());
    client.disconnect();
  });

  it('must answer when it is given', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    await expect(openRedis({ url, prefix, folder, tell: () => {} })).rejects.toMatchObject({
      code: 'sandbox-failed',
      message: expect.stringMatching(/REDIS_URL cannot be used: .* or unset it/),
    });
  });

  it('is one of its own where none is given', async () => {
    const told: string[] = [];
    const own = await openRedis({ url: undefined, prefix, folder, tell: (line) => told.push(line) });
    expect(own.prefix).toBeUndefined();
    expect(own.url).not.toBe(theirs.url);
    expect(told).toContain('starting Redis …');
    await own.close();
  });
});

function ours(): string[] {
  return Array.from({ length: manyKeys }, (_, index) => `${prefix}:run:${index}`);
}
