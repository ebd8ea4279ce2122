import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AgentError, type AgentErrorCode, MachineError } from '../../src/fleet/errors.ts';
import type { ToolCall } from '../../src/fleet/run.ts';
import { dfOutputs } from '../support/df-outputs.ts';
import { supervisedMachines } from './supervised-machine.ts';

const open = supervisedMachines();

const ask = { kind: 'ask', question: 'Why is it slow?' } as const;
const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
const agentErrors = Object.keys({
  'agent-not-ready': 0,
  'agent-refused': 0,
  'agent-failed': 0,
  'agent-lost': 0,
  'agent-timeout': 0,
  'agent-looped': 0,
  'agent-silent': 0,
  'agent-interrupted': 0,
} satisfies Record<AgentErrorCode, number>);

/** Fails the first so many calls of a verb. */
function failing(verb: string, error: Error, times = Number.POSITIVE_INFINITY) {
  let left = times;
  return (call: string) => {
    if (call === verb && left-- > 0) throw error;
  };
}

describe('an agent that fails', () => {
  it.each(agentErrors)('(%s) leaves the verdict, is said, and is stopped', async (code) => {
    await using on = await open({ behaviour: { outputs: () => dfOutputs(85) } });
    const verb = code === 'agent-not-ready' ? 'ready' : 'task';
    // The codes are the keys of a record of all of them.
    const error = Object.assign(new AgentError('agent-failed', `It leaked ${secret}.`), { code });
    const run = await on.serve(undefined, { after: failing(verb, error) });
    expect(run).toMatchObject({
      state: 'done',
      verdict: 'warning',
      diagnosis: { activations: 1, failure: { code } },
      inertness: 'inactive',
    });
    expect(run.failure).toBeUndefined();
    expect(JSON.stringify(run)).not.toContain(secret);
    expect(on.machine.books.at(-1)).toBe('stop');
    expect((await on.machine.status()).agent).toBe('inactive');
    expect(on.tracer.open).toEqual([]);
  });

  it('fails the question that it was asked', async () => {
    await using on = await open();
    const run = await on.serve(ask, { after: failing('task', new AgentError('agent-silent', 'Nothing.')) });
    expect(run).toMatchObject({
      verdict: 'failed',
      failure: { code: 'agent-silent', message: 'Nothing.' },
      inertness: 'inactive',
    });
  });

  it('is stopped also where it was started but the answer to the start was lost', async () => {
    await using on = await open();
    const lost = new MachineError('unreachable', 'The connection broke.');
    const run = await on.serve(undefined, { after: failing('start', lost) });
    expect(run).toMatchObject({
      verdict: 'ok',
      diagnosis: { failure: { code: 'unreachable' } },
      inertness: 'inactive',
    });
    expect(on.machine.books).toEqual(['evidence disk', `start ${run.id}`, 'stop']);
  });

  it('is stopped also where our own code fails', async () => {
    await using on = await open();
    const run = await on.serve(undefined, { after: failing('task', new TypeError(`a bug ${secret}`)) });
    expect(run).toMatchObject({ verdict: 'ok', failure: { code: 'internal' }, inertness: 'inactive' });
    expect(JSON.stringify(run)).not.toContain(secret);
    expect((await on.machine.status()).agent).toBe('inactive');
  });
});

describe('a stop', () => {
  const broken = new MachineError('unreachable', `The connection broke: ${secret}`);

  it('is tried again until the machine is measured inactive', async () => {
    await using on = await open();
    const run = await on.serve(undefined, { before: failing('stop', broken, 2) });
    expect(run.inertness).toBe('inactive');
    expect((await on.queue.requests.machine('rhel-01')).quarantine).toBeUndefined();
  });

  it('that never succeeds leaves the inertness unknown and the machine quarantined until it is measured', async () => {
    await using on = await open();
    const run = await on.serve(undefined, { before: failing('stop', broken) });
    expect(run).toMatchObject({ state: 'done', verdict: 'ok', inertness: 'unknown' });
    const { quarantine } = await on.queue.requests.machine('rhel-01');
    expect(quarantine).toMatchObject({
      runId: run.id,
      reason: expect.stringContaining('The connection broke'),
    });
    expect(quarantine?.reason).not.toContain(secret);

    const unmeasured = await on.serve(undefined, { before: failing('status', broken) });
    expect(unmeasured).toMatchObject({ verdict: 'inconclusive', failure: { code: 'unreachable' } });
    const since = new Date(quarantine?.at ?? 0).toISOString();
    expect(unmeasured.failure?.message).toContain(`in quarantine since ${since}, after run ${run.id}`);
    expect((await on.queue.requests.machine('rhel-01')).quarantine).toBeDefined();

    const measured = await on.serve();
    expect(measured).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    expect((await on.queue.requests.machine('rhel-01')).quarantine).toBeUndefined();
    expect(on.machine.books.filter((entry) => entry === 'stop')).toHaveLength(2);
  });

  it('leaves a quarantine that the next check lifts by measuring alone', async () => {
    await using on = await open({ yaml: '    agent: { diagnose: never }\n' });
    await on.serve(ask, { before: failing('stop', broken) });
    await on.machine.stop(on.machine.highestFence);
    expect((await on.serve()).inertness).toBe('never-started');
    expect((await on.queue.requests.machine('rhel-01')).quarantine).toBeUndefined();
  });

  it('that fails for a question says why there is no answer', async () => {
    await using on = await open();
    await on.request(ask);
    const gone = on.supervisor({ before: (call) => (call === 'task' ? new Promise(() => {}) : undefined) });
    void gone(await on.claim(), new AbortController().signal);
    await expect.poll(() => on.machine.books.at(-1)).toContain('start');

    const run = await on.driveNext({ before: failing('stop', broken) });
    expect(run).toMatchObject({ verdict: 'failed', inertness: 'unknown' });
    expect(run.failure?.code).toBe('agent-interrupted');
  });
});

describe('the progress of an agent', () => {
  it('is recorded while it works, at most once in the interval, and never after', async () => {
    const call = (id: number): ToolCall => ({
      ...{ id: String(id), tool: 'exec', input: `cat ${secret}`, output: '', failed: false },
      ...{ startedAt: 1, endedAt: 2 },
    });
    let late: (() => void) | undefined;
    await using on = await open({
      settings: { progressIntervalMs: 50 },
      behaviour: {
        answer: async (task) => {
          for (let id = 1; id <= 40; id += 1) {
            task.onToolCall?.(call(id));
            await sleep(5);
          }
          // Longer than the interval: the last record is written and none is due.
          await sleep(80);
          late = () => task.onToolCall?.(call(41));
          return { text: 'Done.', toolCalls: [] };
        },
      },
    });
    const id = await on.request();
    const begun: number[] = [];
    const stored: number[] = [];
    const run = await on.driveNext({
      before: (name) => {
        if (name === 'store tasking') begun.push(performance.now());
      },
      after: async (name) => {
        if (name !== 'store tasking') return;
        const { diagnosis } = await on.run(id);
        stored.push(diagnosis?.toolCalls.length ?? 0);
        expect(JSON.stringify(diagnosis)).not.toContain(secret);
      },
    });
    // The first is the state itself.
    const [, ...progress] = stored;
    expect(progress.length).toBeGreaterThan(1);
    const gaps = begun.slice(1).map((at, index) => at - (begun[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(45);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBeGreaterThan(progress[0] ?? 0);

    late?.();
    await sleep(100);
    expect(await on.run(id)).toEqual(run);
    expect(stored).toHaveLength(progress.length + 1);
  });

  it('that cannot be recorded does not disturb the agent', async () => {
    await using on = await open({
      behaviour: {
        answer: async (task) => {
          task.onToolCall?.({
            id: '1',
            tool: 'exec',
            input: '',
            output: '',
            failed: false,
            startedAt: 1,
            endedAt: 2,
          });
          await sleep(60);
          return { text: 'Done.', toolCalls: [] };
        },
      },
    });
    let stores = 0;
    const run = await on.serve(undefined, {
      before: (call) => {
        if (call === 'store tasking' && ++stores > 1) throw new Error('the disk is full');
      },
    });
    expect(stores).toBe(2);
    expect(run).toMatchObject({ verdict: 'ok', diagnosis: { comment: 'Done.' } });
  });
});
