import { expect, test, vi } from 'vitest';
import { AgentError } from '../../src/fleet/errors.ts';
import { supervisedMachines } from './supervised-machine.ts';
import { Zombie } from './zombie.ts';

const open = supervisedMachines();

const ask = { kind: 'ask', question: 'Why is it slow?' } as const;
const tracing = { gate: '1.0.0', broker: '1.0.0', plugin: '1.0.0', traces: true, image: null, policy: null };

test("an agent's work is recorded here where the machine does not record it", async () => {
  await using on = await open();
  await on.serve(ask);
  on.machine.installed = { ...tracing, traces: false };
  await on.serve(ask);
  expect(on.tracer.agentWorks).toHaveLength(2);
});

test('what an agent did before it failed is recorded with what it used', async () => {
  const call = { id: '1', tool: 'exec', input: 'df', output: 'x', failed: false, startedAt: 1, endedAt: 2 };
  const usage = { inputTokens: 1_000_000, outputTokens: 500_000 };
  await using on = await open({
    behaviour: {
      answer: async (task) => {
        task.onToolCall?.(call);
        throw new AgentError('agent-failed', 'The model is away.', { told: { usage, model: 'm-1' } });
      },
    },
  });
  on.fleet = { ...on.fleet, prices: { 'm-1': { inputUsdPerMillion: 2, outputUsdPerMillion: 10 } } };
  await on.serve(ask);
  expect(on.tracer.agentWorks).toEqual([{ usage, model: 'm-1', text: '', toolCalls: [call] }]);
  expect(on.tracer.costs).toEqual([{ inputUsd: 2, outputUsd: 5, totalUsd: 7 }]);
});

test('the task shows what the agent was told and what it answered', async () => {
  await using on = await open({ behaviour: { answer: async () => ({ text: 'Swap.', toolCalls: [] }) } });
  await on.serve(ask);
  expect(on.tracer.attributes.get('agent.task')).toMatchObject({
    input: expect.stringContaining('Why is it slow?'),
    output: 'Swap.',
  });
  expect(on.tracer.costs).toEqual([undefined]);
});

test('what the rules made of the evidence is recorded with what was expected', async () => {
  await using on = await open();
  const run = await on.serve();
  const expected = on.fleet.machines.get('rhel-01')?.expect.disk;
  const { evidence, findings, verdict } = run;
  expect(on.tracer.judgements).toEqual([
    { check: 'disk', expected, measurement: { evidence, findings, verdict } },
  ]);
});

test('evidence that cannot be judged is recorded as that', async () => {
  await using on = await open({ behaviour: { outputs: () => [] } });
  await on.serve();
  expect(on.tracer.judgements).toMatchObject([
    { check: 'disk', measurement: { verdict: 'inconclusive' }, failure: { code: 'policy-drift' } },
  ]);
});

test('nobody else need end the trace of a run that its worker saw to the end', async () => {
  await using on = await open();
  const traced = vi.spyOn(on.queue.runs, 'traced');
  const run = await on.serve();
  expect(traced.mock.calls).toEqual([[run.id]]);
  await on.request({ kind: 'check', check: 'disk' });
  await Zombie.at(on, 'store done', 'after');
  expect(on.tracer.finished).toHaveLength(1);
  expect(traced).toHaveBeenCalledOnce();
});

test('an agent that traces itself is not told of twice', async () => {
  await using on = await open();
  on.machine.installed = tracing;
  const run = await on.serve(ask);
  expect(run.verdict).toBe('answered');
  expect(on.tracer.agentWorks).toEqual([]);
});

test('nor when another worker takes its run over', async () => {
  await using on = await open();
  on.machine.installed = tracing;
  await on.request(ask);
  const died = Promise.withResolvers<void>();
  const standStill = (call: string) => {
    if (call !== 'task') return;
    died.resolve();
    return new Promise<never>(() => {});
  };
  void on.supervisor({ before: standStill })(await on.claim(), new AbortController().signal);
  await died.promise;
  const run = await on.driveNext();
  expect(run.diagnosis?.activations).toBe(2);
  expect(on.tracer.agentWorks).toEqual([]);
});
