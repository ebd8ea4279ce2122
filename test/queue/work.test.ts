import { setTimeout as sleep } from 'node:timers/promises';
import { Queue as BullQueue } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, finish, move, openQueue } from './support.ts';

// Short, so that what other workers take over is seen within a test.
const quick = { lockDurationMs: 500, stalledIntervalMs: 200, sweepIntervalMs: 500, closeTimeoutMs: 2_000 };
const never = 3_600_000;

let redis: TestRedis;
let prefix: string;
let prefixes = 0;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis?.stop();
});
beforeEach(() => {
  prefixes += 1;
  prefix = `{work${prefixes}}`;
});

function open(settings = {}) {
  return openQueue(redis.url, { ...quick, prefix, ...settings });
}

async function isDone(queue: Queue, id: string): Promise<boolean> {
  return (await queue.requests.run(id))?.state === 'done';
}

describe('workers', () => {
  it('never drive one machine at once, keep its order, and lose no request', async () => {
    await using one = await open({ sweepIntervalMs: never });
    await using two = await open({ sweepIntervalMs: never });
    const driven = new Map<string, string[]>();
    const now = new Set<string>();
    let atOnce = 0;
    for (const queue of [one, two]) {
      await queue.work(
        async (claim) => {
          const { machine } = claim.run.request;
          if (now.has(machine)) atOnce += 1;
          now.add(machine);
          await sleep(Math.random() * 3);
          driven.set(machine, [...(driven.get(machine) ?? []), claim.run.id]);
          await finish(queue.runs, claim);
          now.delete(machine);
        },
        { concurrency: 8 },
      );
    }
    const accepted = new Map<string, string[]>();
    for (let round = 0; round < 25; round += 1) {
      await Promise.all(
        ['a', 'b', 'c', 'd'].map(async (machine) => {
          const id = await accept(round % 2 ? one : two, { machine });
          accepted.set(machine, [...(accepted.get(machine) ?? []), id]);
        }),
      );
      await sleep(Math.random() * 5);
    }
    await expect.poll(() => [...driven.values()].flat().length, { timeout: 10_000 }).toBe(100);
    expect(driven).toEqual(accepted);
    expect(atOnce).toBe(0);
  });

  it('give the next machine its turn after a few runs', async () => {
    await using queue = await open({ itemsPerWake: 2, sweepIntervalMs: never });
    for (const machine of ['a', 'a', 'a', 'a', 'b']) await accept(queue, { machine });
    const order: string[] = [];
    await queue.work(
      async (claim) => {
        order.push(claim.run.request.machine);
        await finish(queue.runs, claim);
      },
      { concurrency: 1 },
    );
    await expect.poll(() => order).toEqual(['a', 'a', 'b', 'a', 'a']);
  });

  it('go on when one run breaks off, and take it up again with the next sweep', async () => {
    await using queue = await open();
    let failures = 0;
    await queue.work(
      async (claim) => {
        if (claim.run.request.machine === 'bad' && failures < 2) {
          failures += 1;
          throw new Error('the machine is on fire');
        }
        await finish(queue.runs, claim);
      },
      { concurrency: 1 },
    );
    const bad = await accept(queue, { machine: 'bad' });
    const good = await accept(queue, { machine: 'good' });
    await expect.poll(() => isDone(queue, good)).toBe(true);
    await expect.poll(() => isDone(queue, bad), { timeout: 5_000 }).toBe(true);
    expect(failures).toBe(2);
  });

  it('hand over at once when they are closed', async () => {
    // No stalled check and no sweep could do it this fast.
    const slow = { lockDurationMs: 60_000, stalledIntervalMs: 60_000, sweepIntervalMs: never };
    const one = await open(slow);
    await using two = await open(slow);
    const reasons: unknown[] = [];
    await one.work(
      async (_claim, signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reasons.push(signal.reason);
      },
      { concurrency: 2 },
    );
    const id = await accept(one);
    await expect.poll(async () => (await one.requests.machine('web-01')).currentRunId).toBe(id);
    await two.work(async (claim) => void (await finish(two.runs, claim)), { concurrency: 1 });
    await one.close();
    await expect.poll(() => isDone(two, id), { timeout: 2_000 }).toBe(true);
    expect(reasons).toEqual(['shutdown']);
  });

  it('log a turn that is handed over at a shutdown, but not as an error', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    const queue = await createQueue({ redisUrl: redis.url, log, settings: { ...quick, prefix } });
    const driven = Promise.withResolvers<void>();
    await queue.work(
      async (_claim, signal) => {
        driven.resolve();
        // As the supervisor does where no agent runs.
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      { concurrency: 1 },
    );
    await accept(queue);
    await driven.promise;
    await queue.close();
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 30, machine: 'web-01', msg: 'a turn is handed over to another worker' },
    ]);
  });

  it('close in time even when a run does not let go; another worker takes it', async () => {
    const stuck = await open({ closeTimeoutMs: 100 });
    await using other = await open();
    await stuck.work(() => new Promise(() => {}), { concurrency: 1 });
    const id = await accept(stuck);
    await expect.poll(async () => (await stuck.requests.machine('web-01')).currentRunId).toBe(id);
    await stuck.close();
    const fences: number[] = [];
    await other.work(
      async (claim) => {
        fences.push(claim.fence);
        await finish(other.runs, claim);
      },
      { concurrency: 1 },
    );
    await expect.poll(() => isDone(other, id), { timeout: 10_000 }).toBe(true);
    expect(fences).toEqual([2]);
  });

  it('are told when they lost their lock, and cannot store anything after', async () => {
    await using queue = await open({ sweepIntervalMs: never });
    const client = new Redis(redis.url);
    const aborted = vi.fn();
    await queue.work(
      async (claim, signal) => {
        if (claim.fence > 1) return void (await finish(queue.runs, claim));
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        aborted(signal.reason);
        // Another worker has claimed meanwhile.
        await vi.waitFor(async () => expect((await queue.requests.machine('web-01')).fence).toBe(2));
        await move(queue.runs, claim.fence, claim.run, 'gathering').catch((error: Error) =>
          aborted(error.name),
        );
      },
      { concurrency: 2 },
    );
    const id = await accept(queue);
    await expect.poll(async () => (await queue.requests.machine('web-01')).currentRunId).toBe(id);
    const [lock] = await client.keys(`${prefix}:wakes:*:lock`);
    await client.set(lock ?? '', 'somebody-else', 'PX', 300);
    await vi.waitFor(
      () => expect(aborted.mock.calls.flat()).toEqual(['lock-lost', 'StaleFenceError']),
      8_000,
    );
    expect(await isDone(queue, id)).toBe(true);
    client.disconnect();
  });

  it('do not take a machine back that was given to another worker', async () => {
    // Renews its lock far too rarely to notice that it is gone.
    await using slow = await open({
      lockDurationMs: 600_000,
      sweepIntervalMs: never,
    });
    await using other = await open({ sweepIntervalMs: never });
    const client = new Redis(redis.url);
    const taken = Promise.withResolvers<void>();
    const claims = vi.spyOn(slow.runs, 'claim');
    await slow.work(() => taken.promise, { concurrency: 1 });
    const id = await accept(slow);
    await expect.poll(async () => (await slow.requests.machine('web-01')).currentRunId).toBe(id);

    const [lock] = await client.keys(`${prefix}:wakes:*:lock`);
    await client.del(lock ?? '');
    await other.work(
      async (claim) => {
        taken.resolve();
        await vi.waitFor(() => expect(claims.mock.settledResults.length).toBe(2));
        await finish(other.runs, claim);
      },
      { concurrency: 1 },
    );
    await expect.poll(() => isDone(other, id), { timeout: 5_000 }).toBe(true);
    expect(claims.mock.settledResults[1]).toMatchObject({ type: 'fulfilled', value: undefined });
    client.disconnect();
  });
});

describe('the sweep', () => {
  it('finds requests whose wakes were lost, once for all workers', async () => {
    await using one = await open();
    await using two = await open();
    const ids = await Promise.all(['a', 'b', 'c'].map((machine) => accept(one, { machine })));
    const client = new Redis(redis.url, { maxRetriesPerRequest: null });
    const wakes = new BullQueue('wakes', { connection: client, prefix });
    await wakes.obliterate({ force: true });
    expect(await wakes.getJobCounts('waiting', 'active')).toEqual({ waiting: 0, active: 0 });

    for (const queue of [one, two]) {
      await queue.work(async (claim) => void (await finish(queue.runs, claim)), { concurrency: 2 });
    }
    for (const id of ids) await expect.poll(() => isDone(one, id), { timeout: 5_000 }).toBe(true);
    const sweeps = new BullQueue('sweeps', { connection: client, prefix });
    expect(await sweeps.getJobSchedulersCount()).toBe(1);
    // Machines without work are not woken for ever.
    await expect.poll(() => client.smembers(`${prefix}:busy`)).toEqual([]);
    await wakes.close();
    await sweeps.close();
    client.disconnect();
  });
});
