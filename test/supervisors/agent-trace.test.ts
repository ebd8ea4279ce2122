import { expect, test } from 'vitest';
import { supervisedMachines } from './supervised-machine.ts';

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
