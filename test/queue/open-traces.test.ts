import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Run } from '../../src/fleet/run.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import type { QueueSettings } from '../../src/queue/queue-settings.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, askPeople, finish, openQueue, settled } from './support.ts';

const never = 3_600_000;
/** For conditions, on a busy computer. */
const patience = { timeout: 10_000 };
const quick = { sweepIntervalMs: 100, traceGraceMs: 0, tracedDelayMs: 1 };

let redis: TestRedis;
let client: Redis;
let prefix: string;
let prefixes = 0;

beforeAll(async () => {
  redis = await startTestRedis();
  client = new Redis(redis.url);
});
afterAll(async () => {
  client?.disconnect();
  await redis?.stop();
});
beforeEach(() => {
  prefixes += 1;
  prefix = `{traces${prefixes}}`;
});

function open(settings: Partial<QueueSettings> = {}) {
  return openQueue(redis.url, { ...quick, prefix, ...settings });
}

const openTraces = () => client.zrange(`${prefix}:traces:open`, 0, '-1');

/** Ends a run as a worker does that is killed before it comes to the trace. */
async function endUntraced(queue: Queue, machine: string): Promise<Run> {
  await accept(queue, { machine });
  const claim = await queue.runs.claim(machine);
  if (claim === undefined) throw new Error('nothing to claim');
  return finish(queue.runs, claim);
}

/** A worker that ends traces and never drives a run. Tells what it ended. */
async function workOn(queue: Queue): Promise<Run[]> {
  const ended: Run[] = [];
  const onUntraced = (run: Run) => {
    ended.push(run);
    queue.runs.traced(run.id);
  };
  await queue.work(async () => {}, { concurrency: 1, onUntraced });
  return ended;
}

describe('the trace of a run whose process was killed before it ended the trace', () => {
  it('is ended by another worker, once, and as the record has it', async () => {
    await using killed = await open();
    const run = await endUntraced(killed, 'web-01');
    expect(await openTraces()).toEqual([run.id]);
    await using other = await open();
    const ended = await workOn(other);
    await expect.poll(() => ended, patience).toEqual([run]);
    await expect.poll(openTraces, patience).toEqual([]);
  });

  it('is ended also where a bot ended the run: cancelled in its inbox, denied, or decided by nobody', async () => {
    await using bot = await open();
    const queued = await accept(bot, { machine: 'in-inbox' });
    await bot.requests.cancel(queued, { userId: 'U2', at: 1 });
    const asking = await askPeople(bot, 'cancelled');
    await bot.requests.cancel(asking.run.id, { userId: 'U2', at: 1 });
    const ids = [queued, asking.run.id];
    for (const state of ['denied', 'expired'] as const) {
      const { run } = await askPeople(bot, state);
      await bot.approvals.change(run.id, (waiting) => settled(waiting, state));
      ids.push(run.id);
    }
    await using worker = await open();
    const ended = await workOn(worker);
    await expect.poll(() => ended.map(({ id }) => id).toSorted(), patience).toEqual(ids.toSorted());
    expect(ended.map(({ state }) => state)).toEqual(ended.map(() => 'done'));
  });

  it('is left to its process while that may still come to it', async () => {
    await using queue = await open({ traceGraceMs: never });
    const run = await endUntraced(queue, 'web-01');
    const ended = await workOn(queue);
    // Only a sweep sees that such a machine has nothing to do; when the second one does, the first has ended.
    for (const machine of ['idle-1', 'idle-2']) {
      await client.sadd(`${prefix}:busy`, machine);
      await expect.poll(() => client.smembers(`${prefix}:busy`), patience).toEqual([]);
    }
    expect(ended).toEqual([]);
    expect(await openTraces()).toEqual([run.id]);
  });

  it('is not ended again by anybody once it is noted, and nothing of it is left', async () => {
    await using queue = await open({ sweepIntervalMs: never });
    const runs = [await endUntraced(queue, 'web-01'), await endUntraced(queue, 'web-02')];
    for (const { id } of runs) queue.runs.traced(id);
    await expect.poll(openTraces, patience).toEqual([]);
  });

  it('does not keep others open where its record is gone or cannot be read', async () => {
    await using queue = await open();
    const [gone, broken, good] = [
      await endUntraced(queue, 'web-01'),
      await endUntraced(queue, 'web-02'),
      await endUntraced(queue, 'web-03'),
    ];
    await client.del(`${prefix}:run:${gone.id}`);
    await client.hset(`${prefix}:run:${broken.id}`, 'body', '{}');
    const ended = await workOn(queue);
    await expect.poll(openTraces, patience).toEqual([]);
    expect(ended).toEqual([good]);
  });
});

it('a run that waits for people, or goes on once they approved, has no end to trace', async () => {
  await using queue = await open();
  const { run } = await askPeople(queue, 'web-01');
  expect(await openTraces()).toEqual([]);
  await queue.approvals.change(run.id, (waiting) => settled(waiting, 'approved'));
  expect(await openTraces()).toEqual([]);
});
