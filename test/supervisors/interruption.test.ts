import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MachineError, StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Run } from '../../src/fleet/run.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { type SupervisedOptions, SupervisedMachine } from './supervised-machine.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis?.stop();
});

function open(options: SupervisedOptions = {}): Promise<SupervisedMachine> {
  return SupervisedMachine.open(redis.url, options);
}

const ask = { kind: 'ask', question: 'Why is it slow?' } as const;
const forever = () => new Promise<never>(() => {});
const cancellation = { userId: 'U2', at: 1_790_000_000_000 };

/** Drives everything that comes, as a worker does, and does something once a call is reached. */
async function workWith(on: SupervisedMachine, call: string, effect: () => Promise<unknown>): Promise<void> {
  let reached = false;
  const drive = on.supervisor({
    before: async (name) => {
      if (name !== call || reached) return;
      reached = true;
      await effect();
    },
  });
  await on.queue.work(drive, { concurrency: 1 });
}

async function done(on: SupervisedMachine, id: string): Promise<Run> {
  await expect.poll(async () => (await on.run(id)).state, { timeout: 10_000 }).toBe('done');
  return on.run(id);
}

describe('a cancelled run', () => {
  it('ends without a verdict while its evidence is gathered, and starts no agent', async () => {
    await using on = await open();
    const id = await on.request();
    let aborted = 0;
    await workWith(on, 'evidence', async () => {
      await on.queue.requests.cancel(id, cancellation);
      // As a real gate does: an abort ends the verb with the signal's reason.
      await on.until(id, 'cancelled');
      aborted += 1;
      throw new Error('cancelled');
    });
    expect(await done(on, id)).toMatchObject({ verdict: 'cancelled', inertness: 'never-started', cancellation });
    expect(aborted).toBe(1);
    expect(on.machine.books).toEqual([]);
  });

  it('keeps its verdict and stops the agent that is being started', async () => {
    await using on = await open();
    const id = await on.request();
    await workWith(on, 'ready', async () => {
      await on.queue.requests.cancel(id, cancellation);
      await on.until(id, 'cancelled');
    });
    const run = await done(on, id);
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive', cancellation });
    expect(run.diagnosis?.comment).toBeUndefined();
    expect(on.machine.books.at(-1)).toBe('stop');
  });

  it('keeps its verdict and stops the agent that is at work', async () => {
    await using on = await open({ behaviour: { answer: forever } });
    const id = await on.request();
    await on.queue.work(on.supervisor(), { concurrency: 1 });
    await expect.poll(() => on.machine.books.at(-1)).toBe(`task ${id}`);
    await on.queue.requests.cancel(id, cancellation);
    const run = await done(on, id);
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive', diagnosis: { activations: 1 } });
    expect(run.diagnosis?.failure).toBeUndefined();
    expect(on.machine.books.slice(-2)).toEqual([`task ${id}`, 'stop']);
  });

  it('ends a question as cancelled', async () => {
    await using on = await open({ behaviour: { answer: forever } });
    const id = await on.request(ask);
    await on.queue.work(on.supervisor(), { concurrency: 1 });
    await expect.poll(() => on.machine.books.at(-1)).toBe(`task ${id}`);
    await on.queue.requests.cancel(id, cancellation);
    expect(await done(on, id)).toMatchObject({ verdict: 'cancelled', inertness: 'inactive' });
  });

  it('is not started again after a crash, even where the news of the cancellation is lost', async () => {
    await using on = await open();
    const id = await on.request();
    const crashed = on.supervisor({ before: (call) => (call === 'task' ? forever() : undefined) });
    void crashed(await on.claim(), new AbortController().signal);
    await expect.poll(async () => (await on.run(id)).state).toBe('tasking');
    await on.queue.requests.cancel(id, cancellation);

    const deaf = on.supervisor({}, { onCancelled: () => () => {} });
    await deaf(await on.claim(), new AbortController().signal);
    expect(await on.run(id)).toMatchObject({ state: 'done', verdict: 'ok', diagnosis: { activations: 1 } });
    expect(on.machine.books.filter((entry) => entry.startsWith('start'))).toHaveLength(1);
  });
});

describe('a worker that must let go', () => {
  it('stops the agent once; the next one starts it again and finishes the run', async () => {
    await using on = await open({
      behaviour: {
        answer: async () => (on.machine.books.includes('stop') ? { text: 'Fine.', toolCalls: [] } : forever()),
      },
    });
    const id = await on.request();
    const shutdown = new AbortController();
    const driving = on.supervisor()(await on.claim(), shutdown.signal);
    await expect.poll(() => on.machine.books.at(-1)).toBe(`task ${id}`);
    shutdown.abort('shutdown');
    await expect(driving).rejects.toBe('shutdown');
    expect((await on.machine.status()).agent).toBe('inactive');
    expect(on.machine.books.filter((entry) => entry === 'stop')).toHaveLength(1);
    expect((await on.run(id)).state).toBe('stopping');
    expect(on.tracer.finished).toEqual([]);

    expect(await on.driveNext()).toMatchObject({
      ...{ id, state: 'done', verdict: 'ok', inertness: 'inactive' },
      diagnosis: { activations: 2, comment: 'Fine.' },
    });
    expect(on.tracer.finished).toHaveLength(1);
  });

  it('leaves a run whose evidence is being gathered as it is', async () => {
    await using on = await open();
    const id = await on.request();
    const shutdown = new AbortController();
    const driving = on.supervisor({
      before: (call) => {
        if (call !== 'evidence') return;
        shutdown.abort('shutdown');
        throw shutdown.signal.reason;
      },
    })(await on.claim(), shutdown.signal);
    await expect(driving).rejects.toBe('shutdown');
    expect(await on.run(id)).toMatchObject({ state: 'gathering' });
    expect(on.machine.books).toEqual([]);
    expect(await on.driveNext()).toMatchObject({ id, verdict: 'ok' });
  });

  it('hands over to another worker when its process is closed', async () => {
    const one = await open({ behaviour: { answer: forever } });
    await using two = await open({ queue: { prefix: one.prefix, sweepIntervalMs: 3_600_000 } });
    two.share(one);
    const id = await one.request();
    await one.queue.work(one.supervisor(), { concurrency: 1 });
    await expect.poll(() => one.machine.books.at(-1)).toBe(`task ${id}`);
    one.answer = async () => ({ text: 'Fine.', toolCalls: [] });
    await two.queue.work(two.supervisor(), { concurrency: 1 });
    await one.queue.close();
    expect(await done(two, id)).toMatchObject({ verdict: 'ok', diagnosis: { activations: 2, comment: 'Fine.' } });
  });
});
