import { describe, expect, it } from 'vitest';
import type { AgentAnswer } from '../../src/fleet/agent-task.ts';
import type { Run } from '../../src/fleet/run.ts';
import { type SupervisedMachine, supervisedMachines } from './supervised-machine.ts';

const open = supervisedMachines();

const ask = { kind: 'ask', question: 'Why is it slow?' } as const;
const forever = () => new Promise<never>(() => {});
const short = '    limits: { runTimeoutMs: 300 }\n';

describe('a run that takes longer than it may', () => {
  it('has its agent stopped; the verdict of its evidence stays', async () => {
    await using on = await open({ yaml: short, behaviour: { answer: forever } });
    const run = await on.serve();
    expect(run).toMatchObject({
      ...{ verdict: 'ok', inertness: 'inactive' },
      diagnosis: {
        activations: 1,
        failure: { code: 'run-timeout', message: expect.stringContaining('0.3 s') },
      },
    });
    expect(on.machine.books.at(-1)).toBe('stop');
  });

  it('fails the question that it serves', async () => {
    await using on = await open({ yaml: short, behaviour: { answer: forever } });
    expect(await on.serve(ask)).toMatchObject({
      ...{ verdict: 'failed', inertness: 'inactive', failure: { code: 'run-timeout' } },
    });
  });

  it('ends without a verdict where there is no evidence yet', async () => {
    await using on = await open({ yaml: short });
    const waiting = (_call: string, signal: AbortSignal | undefined) =>
      new Promise<void>((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    const run = await on.serve(undefined, {
      before: (call, signal) => (call === 'evidence' ? waiting(call, signal) : undefined),
    });
    expect(run).toMatchObject({
      ...{ verdict: 'inconclusive', inertness: 'never-started', failure: { code: 'run-timeout' } },
    });
    expect(on.machine.books).toEqual([]);
  });

  it('is not given more time by the worker that takes it over', async () => {
    await using on = await open({ yaml: short });
    const id = await on.request();
    void on.supervisor({ before: (call) => (call === 'task' ? forever() : undefined) })(
      await on.claim(),
      new AbortController().signal,
    );
    await expect.poll(async () => (await on.run(id)).state).toBe('tasking');
    const begun = (await on.run(id)).timeline.find(({ state }) => state === 'gathering')?.at ?? 0;
    await expect.poll(() => Date.now() - begun).toBeGreaterThan(300);
    expect(await on.driveNext()).toMatchObject({
      ...{ id, verdict: 'ok', inertness: 'inactive' },
      diagnosis: { activations: 1, failure: { code: 'run-timeout' } },
    });
  });

  it('keeps the comment of an agent that was just in time', async () => {
    await using on = await open({ yaml: short });
    const run = await on.serve(undefined, {
      after: async (call) => {
        if (call === 'store stopping') await new Promise((resolve) => setTimeout(resolve, 350));
      },
    });
    expect(run.diagnosis).toMatchObject({ comment: expect.any(String) });
    expect(run.diagnosis?.failure).toBeUndefined();
  });
});

describe('what an agent uses up', () => {
  const usage = { inputTokens: 900_000, outputTokens: 50_000 };
  const answer = async (): Promise<AgentAnswer> => ({ text: 'Fine.', toolCalls: [], usage, model: 'm-1' });
  const priced = (on: SupervisedMachine) => {
    const prices = { 'm-1': { inputUsdPerMillion: 2, outputUsdPerMillion: 10 } };
    on.fleet = { ...on.fleet, prices };
  };
  const limited = async (limits: string, task?: typeof ask): Promise<Run> => {
    await using on = await open({ yaml: `    limits: { ${limits} }\n`, behaviour: { answer } });
    priced(on);
    return await on.serve(task);
  };

  it('is recorded with what it cost', async () => {
    expect((await limited('maxTokens: 950000')).diagnosis).toEqual({
      ...{ activations: 1, comment: 'Fine.', toolCalls: [], contradictions: [], usage, model: 'm-1' },
      costUsd: 2.3,
    });
  });

  it('costs nothing that is known where its model has no price', async () => {
    await using on = await open({ behaviour: { answer } });
    expect((await on.serve()).diagnosis?.costUsd).toBeUndefined();
  });

  it.each([
    ['token-limit', 'maxTokens: 949999', '949999'],
    ['cost-limit', 'maxCostUsd: 2.25', '2.25'],
  ])('is told where it is more than one run may (%s); the comment stays', async (code, limits, shown) => {
    const run = await limited(limits);
    expect(run).toMatchObject({
      ...{ verdict: 'ok', inertness: 'inactive' },
      diagnosis: { comment: 'Fine.', failure: { code, message: expect.stringContaining(shown) } },
    });
    expect(await limited(limits, ask)).toMatchObject({
      verdict: 'answered',
      diagnosis: { comment: 'Fine.' },
    });
  });

  it('ends the task as soon as it is known to be too much', async () => {
    await using on = await open({
      yaml: '    limits: { maxTokens: 100 }\n',
      behaviour: {
        answer: (task) => {
          task.onOutputTokens?.(100);
          task.onOutputTokens?.(101);
          return forever();
        },
      },
    });
    const run = await on.serve();
    expect(run).toMatchObject({
      ...{ verdict: 'ok', inertness: 'inactive' },
      diagnosis: { activations: 1, failure: { code: 'token-limit' } },
    });
    expect(on.machine.books.at(-1)).toBe('stop');
  });
});
