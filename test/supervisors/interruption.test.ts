import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import type { AgentAnswer } from '../../src/fleet/agent-task.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Run } from '../../src/fleet/run.ts';
import { startLink } from '../support/link.ts';
import { startTestRedis } from '../support/redis.ts';
import { SupervisedMachine, supervisedMachines } from './supervised-machine.ts';

const open = supervisedMachines();

const ask = { kind: 'ask', question: 'Why is it slow?' } as const;
const forever = () => new Promise<never>(() => {});
const cancellation = { userId: 'U2', at: 1_790_000_000_000 };

/** Works, and has the run cancelled when a call is reached, which goes on once the supervisor knows. */
async function cancelAt(on: SupervisedMachine, id: string, reached: string): Promise<Run> {
  const before = async (call: string, signal: AbortSignal | undefined) => {
    if (call !== reached || !signal) return;
    const aborted = once(signal, 'abort');
    await on.queue.requests.cancel(id, cancellation);
    await aborted;
  };
  await on.queue.work(on.supervisor({ before }), { concurrency: 1 });
  return done(on, id);
}

async function done(on: SupervisedMachine, id: string): Promise<Run> {
  await expect.poll(async () => (await on.run(id)).state, { timeout: 10_000 }).toBe('done');
  return on.run(id);
}

describe('a cancelled run', () => {
  it.each(['status', 'evidence'])('ends without a verdict and without an agent during %s', async (call) => {
    await using on = await open();
    const id = await on.request();
    const run = await cancelAt(on, id, call);
    expect(run).toMatchObject({ verdict: 'cancelled', inertness: 'never-started', cancellation });
    expect(on.machine.books).toEqual([]);
  });

  it.each(['start', 'ready'])(
    'keeps its verdict, and the agent that %s waits for is stopped',
    async (call) => {
      await using on = await open();
      const id = await on.request();
      const run = await cancelAt(on, id, call);
      expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive', cancellation });
      expect(run.diagnosis?.comment).toBeUndefined();
      expect(on.machine.books.at(-1)).toBe('stop');
    },
  );

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

    const deaf = on.supervisor({ deaf: true });
    await deaf(await on.claim(), new AbortController().signal);
    expect(await on.run(id)).toMatchObject({ state: 'done', verdict: 'ok', diagnosis: { activations: 1 } });
    expect(on.machine.books.filter((entry) => entry.startsWith('start'))).toHaveLength(1);
  });
});

describe('a run that was cancelled while it gathered', () => {
  it('starts no agent, even where the news of the cancellation is lost', async () => {
    await using on = await open();
    const id = await on.request();
    const before = async (call: string) => {
      if (call === 'evidence') await on.queue.requests.cancel(id, cancellation);
    };
    await on.supervisor({ deaf: true, before })(await on.claim(), new AbortController().signal);
    expect(await on.run(id)).toMatchObject({ state: 'done', verdict: 'ok', inertness: 'inactive' });
    expect(on.machine.books.filter((entry) => entry.startsWith('start'))).toEqual([]);
  });
});

describe('a worker that must let go', () => {
  it('stops the agent once; the next one starts it again and finishes the run', async () => {
    await using on = await open({
      behaviour: {
        answer: async () =>
          on.machine.books.includes('stop') ? { text: 'Fine.', toolCalls: [] } : forever(),
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

  it('stops the agent at once where the store is away, and gives the store little time', async () => {
    await using on = await open({ behaviour: { answer: forever }, settings: { lettingGoTimeoutMs: 200 } });
    const id = await on.request();
    const shutdown = new AbortController();
    let asked = false;
    const driving = on.supervisor({
      before: (call) => {
        if (call !== 'store stopping') return;
        asked = on.machine.books.at(-1) === 'stop';
        return forever();
      },
    })(await on.claim(), shutdown.signal);
    await expect.poll(() => on.machine.books.at(-1)).toBe(`task ${id}`);
    shutdown.abort('shutdown');
    await expect(driving).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(asked).toBe(true);
    expect(on.machine.books.filter((entry) => entry === 'stop')).toHaveLength(1);

    expect(await on.run(id)).toMatchObject({ state: 'tasking' });
    expect((await on.machine.status()).agent).toBe('inactive');
  });

  it('while a state is being stored does not wait for a store that is away', async () => {
    await using on = await open({ settings: { lettingGoTimeoutMs: 500 } });
    const id = await on.request();
    const shutdown = new AbortController();
    const driving = on.supervisor({
      before: (call) => {
        if (call !== 'store tasking') return;
        setTimeout(() => shutdown.abort('shutdown'), 20);
        return forever();
      },
    })(await on.claim(), shutdown.signal);
    await expect(driving).rejects.toBe('shutdown');
    expect(on.machine.books).toEqual(['evidence disk', `start ${id}`, 'stop']);
  });

  it('stops the agent at once while nothing gets through to Redis, and the run goes on afterwards', async () => {
    const own = await startTestRedis();
    const link = await startLink(own.port);
    try {
      const url = new URL(own.url);
      url.port = String(link.port);
      await using on = await SupervisedMachine.open(url.href, {
        behaviour: {
          answer: async () =>
            on.machine.books.includes('stop') ? { text: 'Fine.', toolCalls: [] } : forever(),
        },
      });
      const id = await on.request();
      const shutdown = new AbortController();
      const driving = on.supervisor()(await on.claim(), shutdown.signal);
      await expect.poll(() => on.machine.books.at(-1)).toBe(`task ${id}`);
      link.freeze();
      shutdown.abort('shutdown');
      await expect.poll(() => on.machine.books.at(-1), { timeout: 1_000 }).toBe('stop');
      await expect(driving).rejects.toBeInstanceOf(StoreUnavailableError);
      await link.restore();
      await vi.waitUntil(() => on.queue.ready().catch(() => false));
      expect(await on.driveNext()).toMatchObject({ id, verdict: 'ok', diagnosis: { comment: 'Fine.' } });
    } finally {
      await link[Symbol.asyncDispose]();
      await own.stop();
    }
  });

  it('before the start does not start the agent any more', async () => {
    await using on = await open();
    await on.request();
    const shutdown = new AbortController();
    const calls: string[] = [];
    const driving = on.supervisor({
      before: (call) => {
        calls.push(call);
        if (call === 'store starting') shutdown.abort('shutdown');
      },
    })(await on.claim(), shutdown.signal);
    await expect(driving).rejects.toBe('shutdown');
    expect(calls).not.toContain('start');
    expect(calls.slice(-2)).toEqual(['stop', 'store stopping']);
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
    let answer: () => Promise<AgentAnswer> = forever;
    await using on = await open({
      behaviour: { answer: () => answer() },
      queue: { sweepIntervalMs: 3_600_000 },
    });
    const [one, two] = [await on.anotherQueue(), await on.anotherQueue()];
    const id = await on.request();
    await one.work(on.supervisor({}, one), { concurrency: 1 });
    await expect.poll(() => on.machine.books.at(-1)).toBe(`task ${id}`);
    answer = async () => ({ text: 'Fine.', toolCalls: [] });
    await two.work(on.supervisor({}, two), { concurrency: 1 });
    await one.close();
    expect(await done(on, id)).toMatchObject({
      verdict: 'ok',
      diagnosis: { activations: 2, comment: 'Fine.' },
    });
  });
});

describe('a store that is away', () => {
  it.each(['tasking', 'stopping', 'done'])(
    'when %s should be stored has the agent stopped',
    async (state) => {
      await using on = await open({ settings: { storeTimeoutMs: 500 } });
      const id = await on.request();
      const driving = on.supervisor({
        before: (call) => (call === `store ${state}` ? forever() : undefined),
      })(await on.claim(), new AbortController().signal);
      await expect(driving).rejects.toBeInstanceOf(StoreUnavailableError);
      expect(on.machine.books).toContain(`start ${id}`);
      expect((await on.machine.status()).agent).toBe('inactive');
      expect(await on.driveNext()).toMatchObject({ id, verdict: 'ok', inertness: 'inactive' });
    },
  );

  it('while a left run is taken over does not keep the agent alive', async () => {
    await using on = await open({ settings: { storeTimeoutMs: 500 } });
    const id = await on.request();
    void on.supervisor({ before: (call) => (call === 'task' ? forever() : undefined) })(
      await on.claim(),
      new AbortController().signal,
    );
    await expect.poll(async () => (await on.run(id)).state).toBe('tasking');
    // Higher than the claim's, so that the fence must be raised in the store first.
    const claim = await on.claim();
    await on.machine.evidence(claim.fence, 'disk');
    const driving = on.supervisor({ before: (call) => (call.startsWith('raise') ? forever() : undefined) })(
      claim,
      new AbortController().signal,
    );
    await expect(driving).rejects.toBeInstanceOf(StoreUnavailableError);
    expect((await on.machine.status()).agent).toBe('inactive');
  });

  it('really, for longer than the limit: the agent is stopped, and the run ends when it is back', async () => {
    const own = await startTestRedis();
    try {
      await using on = await SupervisedMachine.open(own.url, {
        settings: { storeTimeoutMs: 500 },
        behaviour: {
          answer: async () => {
            await own.kill();
            return { text: 'Fine.', toolCalls: [] };
          },
        },
      });
      const id = await on.request();
      const driving = on.supervisor()(await on.claim(), new AbortController().signal);
      await expect(driving).rejects.toBeInstanceOf(StoreUnavailableError);
      expect(on.machine.books).toEqual(['evidence disk', `start ${id}`, `task ${id}`, 'stop']);

      await own.restart();
      await vi.waitUntil(() => on.queue.ready().catch(() => false));
      // What the agent said was on its way to the store, and arrives late.
      const run = await on.driveNext();
      expect(run).toMatchObject({
        id,
        verdict: 'ok',
        inertness: 'inactive',
        diagnosis: { comment: 'Fine.' },
      });
      expect(on.machine.books.filter((entry) => entry.startsWith('start'))).toHaveLength(1);
    } finally {
      await own.stop();
    }
  });
});

describe('a machine that is taken out of the fleet file', () => {
  it('while its run is driven has the run finished as it was begun', async () => {
    await using on = await open();
    await on.request();
    const run = await on.driveNext({
      before: (call) => {
        if (call === 'start') on.fleet = { ...on.fleet, machines: new Map() };
      },
    });
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive', diagnosis: { activations: 1 } });
  });

  it('while nobody drives its agent is quarantined, and measured when it is back', async () => {
    await using on = await open();
    const id = await on.request();
    void on.supervisor({ before: (call) => (call === 'task' ? forever() : undefined) })(
      await on.claim(),
      new AbortController().signal,
    );
    await expect.poll(async () => (await on.run(id)).state).toBe('tasking');
    const { fleet } = on;
    on.fleet = { ...fleet, machines: new Map() };
    expect(await on.driveNext()).toMatchObject({
      ...{ id, state: 'done', verdict: 'ok', inertness: 'unknown' },
      failure: { code: 'machine-unknown' },
    });
    expect((await on.queue.requests.machine('rhel-01')).quarantine?.runId).toBe(id);

    on.fleet = fleet;
    expect(await on.serve()).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    expect((await on.queue.requests.machine('rhel-01')).quarantine).toBeUndefined();
    expect(on.machine.books.slice(0, 4)).toEqual(['evidence disk', `start ${id}`, 'stop', 'evidence disk']);
  });
});
