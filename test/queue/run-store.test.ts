import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { StaleFenceError } from '../../src/fleet/errors.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, finish, move, openQueue } from './support.ts';

let redis: TestRedis;
let queue: Queue;
let machines = 0;
let machine: string;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url);
});
afterAll(async () => {
  await queue?.close();
  await redis?.stop();
});
beforeEach(() => {
  machines += 1;
  machine = `machine-${machines}`;
});

async function claim() {
  const claimed = await queue.runs.claim(machine);
  if (claimed === undefined) throw new Error('nothing to claim');
  return claimed;
}

describe('the run store', () => {
  it('gives a machine its requests in order, one at a time, each under a higher fence', async () => {
    const ids = [await accept(queue, { machine }), await accept(queue, { machine })];
    const first = await claim();
    await finish(queue.runs, first);
    const second = await claim();
    await finish(queue.runs, second);
    expect([first.run.id, second.run.id]).toEqual(ids);
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(await queue.runs.claim(machine)).toBeUndefined();
  });

  it('gives the same run again under a higher fence after a crash, as it was stored last', async () => {
    await accept(queue, { machine });
    await accept(queue, { machine });
    const crashed = await claim();
    await move(queue.runs, crashed.fence, crashed.run, 'gathering');
    const again = await claim();
    expect(again.run).toMatchObject({ id: crashed.run.id, state: 'gathering' });
    expect(again.fence).toBe(crashed.fence + 1);
  });

  it('refuses a stale fence', async () => {
    await accept(queue, { machine });
    const zombie = await claim();
    const holder = await claim();
    await expect(move(queue.runs, zombie.fence, zombie.run, 'gathering')).rejects.toBeInstanceOf(
      StaleFenceError,
    );
    await expect(queue.runs.raiseFence(machine, zombie.fence, 50)).rejects.toBeInstanceOf(StaleFenceError);
    await expect(
      queue.runs.setQuarantine(machine, zombie.fence, { runId: 'r', reason: 'x', at: 1 }),
    ).rejects.toBeInstanceOf(StaleFenceError);
    expect((await move(queue.runs, holder.fence, holder.run, 'gathering')).state).toBe('gathering');
  });

  it('refuses a state that the run is not in, and stores the same save twice without harm', async () => {
    await accept(queue, { machine });
    const { fence, run } = await claim();
    const gathering = await move(queue.runs, fence, run, 'gathering');
    await expect(queue.runs.save(gathering, 'queued', fence)).resolves.toEqual(gathering);
    await expect(queue.runs.save({ ...gathering, verdict: 'ok' }, 'queued', fence)).rejects.toBeInstanceOf(
      StaleFenceError,
    );
  });

  it('raises the fence above the one that the machine has seen', async () => {
    await accept(queue, { machine });
    const { fence, run } = await claim();
    expect(await queue.runs.raiseFence(machine, fence, fence - 1)).toBe(fence);
    const raised = await queue.runs.raiseFence(machine, fence, 41);
    expect(raised).toBe(42);
    await expect(move(queue.runs, fence, run, 'gathering')).rejects.toBeInstanceOf(StaleFenceError);
    await move(queue.runs, raised, run, 'gathering');
    expect((await claim()).fence).toBe(43);
  });

  it('calls back when a run is cancelled, and when it was cancelled before, and not after stopping', async () => {
    await using worker = await openQueue(redis.url, { prefix: '{cancelling}' });
    await worker.work(async () => {}, { concurrency: 1 });
    const id = await accept(worker, { machine });
    const heard = vi.fn();
    const unheard = vi.fn();
    worker.runs.onCancelled(id, heard);
    worker.runs.onCancelled(id, unheard)();
    await expect.poll(async () => (await worker.requests.machine(machine)).currentRunId).toBe(id);
    const cancellation = { userId: 'U2', at: 5 };
    const anybody = new Redis(redis.url);
    await anybody.publish('{cancelling}:cancelled', 'no cancellation');
    anybody.disconnect();
    await worker.requests.cancel(id, cancellation);
    await vi.waitFor(() => expect(heard).toHaveBeenCalledExactlyOnceWith(cancellation));

    const late = vi.fn();
    worker.runs.onCancelled(id, late);
    await vi.waitFor(() => expect(late).toHaveBeenCalledExactlyOnceWith(cancellation));
    expect(unheard).not.toHaveBeenCalled();
  });

  it('keeps a quarantine until it is lifted', async () => {
    await accept(queue, { machine });
    const { fence, run } = await claim();
    const quarantine = { runId: run.id, reason: 'the stop was not confirmed', at: 7 };
    await queue.runs.setQuarantine(machine, fence, quarantine);
    expect((await queue.requests.machine(machine)).quarantine).toEqual(quarantine);
    await queue.runs.setQuarantine(machine, fence, undefined);
    expect((await queue.requests.machine(machine)).quarantine).toBeUndefined();
  });
});
