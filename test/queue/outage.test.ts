import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, aRequest, finish, openQueue, silent } from './support.ts';

let redis: TestRedis;

beforeEach(async () => {
  redis = await startTestRedis();
});
afterEach(async () => {
  await redis.stop();
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function isDone(queue: Queue, id: string): Promise<boolean> {
  return (await queue.requests.run(id).catch(() => undefined))?.state === 'done';
}

describe('when Redis is away', () => {
  it('a request is refused at once, and accepted again when Redis is back', async () => {
    await using queue = await openQueue(redis.url);
    await redis.kill();
    const request = aRequest();
    await expect
      .poll(async () => String(await failureOf(queue.requests.accept([request]))))
      .toMatch(/Nothing was changed/);
    await redis.restart();
    await expect
      .poll(() => queue.requests.accept([request]).catch(() => undefined), { timeout: 5_000 })
      .toMatchObject({ duplicate: false });
  });

  it('a request that Redis does not answer is not confirmed, within the limit', async () => {
    await using queue = await openQueue(redis.url, { requestTimeoutMs: 200 });
    process.kill(redis.pid, 'SIGSTOP');
    const error = await failureOf(queue.requests.accept([aRequest()]));
    process.kill(redis.pid, 'SIGCONT');
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toMatch(/may or may not/);
  });

  it('nobody starts', async () => {
    await redis.kill();
    await expect(
      createQueue({ redisUrl: redis.url, log: silent, settings: { connectTimeoutMs: 200 } }),
    ).rejects.toThrow(/Check REDIS_URL/);
  });

  it('workers wait for it and finish what they drive', async () => {
    await using queue = await openQueue(redis.url, { lockDurationMs: 500, stalledIntervalMs: 200 });
    let fences: number[] = [];
    await queue.work(
      async (claim) => {
        fences = [...fences, claim.fence];
        if (fences.length === 1) {
          await redis.kill();
          await sleep(600);
          await redis.restart();
        }
        await finish(queue.runs, claim);
      },
      { concurrency: 1 },
    );
    const id = await accept(queue);
    await expect.poll(() => isDone(queue, id), { timeout: 15_000 }).toBe(true);
    const later = await accept(queue);
    await expect.poll(() => isDone(queue, later), { timeout: 15_000 }).toBe(true);
  });

  it('every acknowledged request survives kill -9 of the server', async () => {
    await using queue = await openQueue(redis.url);
    const acknowledged: string[] = [];
    let running = true;
    const writers = Array.from({ length: 5 }, async (_, n) => {
      while (running) {
        const answer = await queue.requests.accept([aRequest({ machine: `m${n}` })]).catch(() => undefined);
        if (answer) acknowledged.push(...answer.runIds);
        else await sleep(5);
      }
    });
    await expect.poll(() => acknowledged.length).toBeGreaterThan(200);
    await redis.kill();
    running = false;
    await Promise.all(writers);
    await redis.restart();
    await expect
      .poll(() => queue.requests.machine('m0').catch(() => undefined), { timeout: 5_000 })
      .toBeDefined();
    const runs = await Promise.all(acknowledged.map((id) => queue.requests.run(id)));
    expect(runs.filter((run) => run === undefined)).toEqual([]);
    const waiting = await Promise.all([0, 1, 2, 3, 4].map((n) => queue.requests.machine(`m${n}`)));
    expect(waiting.reduce((sum, machine) => sum + machine.waiting, 0)).toBeGreaterThanOrEqual(
      acknowledged.length,
    );
  });
});
