import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Keys } from '../../src/queue/keys.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { signingMailboxSuite } from '../conformance/signing-mailbox.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { sampleRun } from '../support/sample-run.ts';
import { openQueue } from './support.ts';

const settings = { signTimeoutMs: 4_000, signResendMs: 300, signPollIntervalMs: 20 };
const keys = new Keys(queueDefaults.prefix);
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis?.stop();
});

signingMailboxSuite('Redis', async () => {
  const queue = await openQueue(redis.url, settings);
  const others: (typeof queue)[] = [];
  return {
    signer: queue.signer,
    asks: queue.signingAsks,
    async another() {
      const other = await openQueue(redis.url, settings);
      others.push(other);
      return other.signingAsks;
    },
    async close() {
      await Promise.all([queue, ...others].map((each) => each.close()));
    },
  };
});

it('leaves nothing behind that is not gone after a while, and gives out no wish that is none', async () => {
  await using queue = await openQueue(redis.url, settings);
  const admin = new Redis(redis.url);
  await admin.zadd(keys.signerAsks(), 0, 'no wish', 1, '{"id":"../seen"}');
  const stopping = new AbortController();
  const next = queue.signingAsks.next(stopping.signal);
  const refusal = queue.signer.capsule(
    { run: sampleRun('r-1', 'approved'), fence: 1, traceparent },
    stopping.signal,
  );
  const asked = await next;
  expect(asked).toMatchObject({ run: 'r-1' });
  if (asked) await queue.signingAsks.answer(asked, { refused: 'no' });
  await expect(refusal).rejects.toThrow('no');
  expect(await admin.zcard(keys.signerAsks())).toBe(0);
  expect(await admin.pttl(keys.signerReply(asked?.id ?? ''))).toBeGreaterThan(0);
  expect(await admin.pttl(keys.signerSeen())).toBeGreaterThan(0);
  admin.disconnect();
});

it('tells whether a signer looks for wishes', async () => {
  const own = await startTestRedis();
  try {
    await using queue = await openQueue(own.url, settings);
    expect(await queue.signer.seen()).toBe(false);
    expect(queue.signingAsks.isLooking()).toBe(false);
    const stopping = new AbortController();
    const next = queue.signingAsks.next(stopping.signal);
    await expect.poll(() => queue.signer.seen()).toBe(true);
    expect(queue.signingAsks.isLooking()).toBe(true);
    stopping.abort();
    await next;
  } finally {
    await own.stop();
  }
});

it('takes no signer for one that Redis lets not look', async () => {
  const own = await startTestRedis();
  try {
    let now = 1_000_000;
    await using queue = await openQueue(own.url, settings, () => now);
    const admin = new Redis(own.url);
    await admin.set(keys.signerAsks(), 'no zset');
    const { signal } = new AbortController();
    const look = () => expect(queue.signingAsks.next(signal)).rejects.toThrow('WRONGTYPE');
    await look();
    now += 20_000;
    await admin.del(keys.signerSeen());
    await look();
    expect(queue.signingAsks.isLooking()).toBe(false);
    expect(await queue.signer.seen()).toBe(false);
    admin.disconnect();
  } finally {
    await own.stop();
  }
});

it('carries on after Redis was away', async () => {
  const own = await startTestRedis();
  try {
    await using queue = await openQueue(own.url, { ...settings, signTimeoutMs: 20_000 });
    const stopping = new AbortController();
    const next = queue.signingAsks.next(stopping.signal);
    await own.kill();
    await own.restart();
    await expect.poll(() => queue.ready().catch(() => false), { timeout: 10_000 }).toBe(true);
    const capsule = queue.signer.capsule(
      { run: sampleRun('r-1', 'approved'), fence: 1, traceparent },
      stopping.signal,
    );
    const asked = await next;
    if (asked) await queue.signingAsks.answer(asked, { signed: { capsule: '{}', signature: 's' } });
    expect(await capsule).toEqual({ capsule: '{}', signature: 's' });
    stopping.abort();
  } finally {
    await own.stop();
  }
});
