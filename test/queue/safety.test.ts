import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailableError, StoreUnsafeError } from '../../src/fleet/errors.ts';
import { createQueue } from '../../src/queue/create-queue.ts';
import { Disk } from '../../src/queue/durability.ts';
import { inspectSafety } from '../../src/queue/safety.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { silent } from './support.ts';

let server: TestRedis;
let redis: Redis;
let hasWaitaof: boolean;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
  const reply: unknown = await redis.call('COMMAND', 'INFO', 'WAITAOF');
  hasWaitaof = Array.isArray(reply) && reply[0] !== null;
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});
beforeEach(async () => {
  await redis.config('SET', 'appendonly', 'yes');
  await redis.config('SET', 'appendfsync', 'always');
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
});

describe('the look at the server', () => {
  it('finds nothing wrong with one that keeps everything', async () => {
    expect(await inspectSafety(redis)).toEqual({
      durability: hasWaitaof ? 'waitaof' : 'always',
      problems: [],
      unchecked: [],
    });
  });

  it.each([
    ['maxmemory-policy', 'allkeys-lru', /Set it to noeviction/],
    ['appendonly', 'no', /Set appendonly yes/],
    ['appendfsync', 'no', /Set it to (everysec or )?always/],
  ])('says that %s %s is unsafe, and the cure', async (name, value, cure) => {
    await redis.config('SET', name, value);
    const { problems } = await inspectSafety(redis);
    expect(problems).toEqual([expect.stringMatching(cure)]);
    await expect(createQueue({ redisUrl: server.url, log: silent })).rejects.toBeInstanceOf(StoreUnsafeError);
    const queue = await createQueue({ redisUrl: server.url, log: silent, settings: { allowUnsafe: true } });
    await queue.close();
  });

  it('accepts everysec only where the server can confirm an fsync', async () => {
    await redis.config('SET', 'appendfsync', 'everysec');
    expect((await inspectSafety(redis)).problems).toHaveLength(hasWaitaof ? 0 : 1);
  });

  it('says what it could not check where CONFIG is forbidden', async () => {
    await redis.call('ACL', 'SETUSER', 'managed', 'on', '>secret', '~*', '&*', '+@all', '-config');
    const managed = new Redis(server.port, '127.0.0.1', { username: 'managed', password: 'secret' });
    const report = await inspectSafety(managed);
    expect(report).toMatchObject({
      problems: [],
      unchecked: [expect.stringMatching(/appendfsync.*forbids CONFIG/)],
    });
    managed.disconnect();
  });
});

describe('the disk', () => {
  it('confirms what is written', async () => {
    const disk = new Disk(redis, hasWaitaof ? 'waitaof' : 'always', 1_000);
    await redis.set('written', 1);
    await expect(Promise.all([disk.confirm(), disk.confirm(), disk.confirm()])).resolves.toBeDefined();
  });

  it('does not confirm what is not on disk in time', async () => {
    const stub = { call: async () => [0, 0] };
    // The one answer that a healthy server does not give.
    const disk = new Disk(Object.assign(Object.create(redis), stub), 'waitaof', 10);
    await expect(disk.confirm()).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(disk.confirm()).rejects.toThrow(/not confirmed/);
  });
});
