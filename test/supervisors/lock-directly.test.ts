import { describe, expect, it } from 'vitest';
import { MachineError } from '../../src/fleet/errors.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import { type DirectResult, haltDirectly, resumeDirectly } from '../../src/supervisors/lock-directly.ts';
import { machineWith } from '../fleet/fixtures.ts';
import { FakeMachine } from '../support/fake-machine.ts';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const halting = { by: 'anna@laptop', concurrency: 10, redact: (text: string) => text };
const resuming = { concurrency: 10, force: false, redact: (text: string) => text };

/** Machines in memory by name. */
function fakes(...names: string[]) {
  const fake = new Map(names.map((name) => [name, new FakeMachine()]));
  const machines: Machine[] = names.map((name) => ({ ...machineWith(), name }));
  const on = (name: string) => {
    const machine = fake.get(name);
    if (!machine) throw new Error(`no machine ${name}`);
    return machine;
  };
  return { machines, on, brakes: { gate: ({ name }: Machine) => on(name) } };
}

const all = (results: AsyncIterable<DirectResult>) => Array.fromAsync(results);

describe('a direct halt', () => {
  it('locks every machine, and its agent is measured inactive', async () => {
    const { machines, on, brakes } = fakes('rhel-01', 'rhel-02');
    await on('rhel-01').start(1, 'r-00000000aaaa', traceparent);
    const results = await all(haltDirectly(machines, 'leak', brakes, halting));
    expect(results).toContainEqual({ machine: 'rhel-01', outcome: 'inactive' });
    expect(results).toContainEqual({ machine: 'rhel-02', outcome: 'inactive' });
    expect(await on('rhel-01').status()).toMatchObject({
      agent: 'inactive',
      lock: { reason: 'halt --direct by anna@laptop: leak' },
    });
  });

  it('tells a machine as soon as it is known, and those that cannot be reached as unreachable', async () => {
    const { machines, on, brakes } = fakes('rhel-01', 'rhel-02');
    const back = Promise.withResolvers<never>();
    on('rhel-01').lock = () => back.promise;
    const results = haltDirectly(machines, 'leak', brakes, halting)[Symbol.asyncIterator]();
    expect((await results.next()).value).toEqual({ machine: 'rhel-02', outcome: 'inactive' });
    back.reject(new MachineError('unreachable', 'rhel-01 is gone.'));
    expect((await results.next()).value).toEqual({
      ...{ machine: 'rhel-01', outcome: 'unreachable', detail: 'rhel-01 is gone.' },
    });
    expect((await results.next()).done).toBe(true);
  });

  it('waits until an agent that is still stopping is gone', async () => {
    const { machines, on, brakes } = fakes('rhel-01');
    on('rhel-01').lock = async () => ({ locked: true, agent: 'deactivating' });
    expect(await all(haltDirectly(machines, 'leak', brakes, halting))).toEqual([
      { machine: 'rhel-01', outcome: 'inactive' },
    ]);
  });

  it('calls an agent that does not go a failure', async () => {
    const { on, brakes } = fakes('rhel-01');
    await on('rhel-01').start(1, 'r-00000000aaaa', traceparent);
    on('rhel-01').lock = async () => ({ locked: true, agent: 'active' });
    const impatient = machineWith('    limits: { stopTimeoutMs: 300 }\n');
    expect(await all(haltDirectly([impatient], 'leak', brakes, halting))).toMatchObject([
      { outcome: 'failed', detail: expect.stringContaining('still active') },
    ]);
  });

  it('names an action that must not be interrupted', async () => {
    const { machines, on, brakes } = fakes('rhel-01');
    on('rhel-01').action = { id: 'a-1', name: 'grow-disk' };
    expect(await all(haltDirectly(machines, 'leak', brakes, halting))).toMatchObject([
      { outcome: 'ending', detail: expect.stringContaining('grow-disk') },
    ]);
  });

  it('does not wait behind machines that do not answer, even where they take every place', async () => {
    const silent = ['gone-1', 'gone-2'];
    const { machines, on, brakes } = fakes(...silent, 'rhel-01');
    const back = Promise.withResolvers<never>();
    for (const name of silent) on(name).lock = () => back.promise;
    const results = haltDirectly(machines, 'leak', brakes, { ...halting, concurrency: 2 });
    const iterator = results[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toMatchObject({ machine: 'rhel-01' });
    back.reject(new MachineError('timeout', 'No answer.'));
  }, 10_000);
});

describe('a direct resume', () => {
  it('unlocks what was locked directly, and says of a machine without a lock that it had none', async () => {
    const { machines, on, brakes } = fakes('rhel-01', 'rhel-02');
    await on('rhel-01').lock('halt --direct by anna@laptop: leak');
    const results = await all(resumeDirectly(machines, brakes, resuming));
    expect(results).toContainEqual({ machine: 'rhel-01', outcome: 'unlocked' });
    expect(results).toContainEqual({
      ...{ machine: 'rhel-02', outcome: 'unlocked', detail: 'It was not locked.' },
    });
    expect(on('rhel-01').locked).toBeNull();
    expect(on('rhel-02').books).toEqual([]);
  });

  it.each([
    ['a halt', 'halt h-1 by U1: leak', '/fleet resume'],
    ['other means', 'maintenance', '--force'],
  ])('leaves a lock of %s, unless it is forced', async (_name, reason, cure) => {
    const { machines, on, brakes } = fakes('rhel-01');
    await on('rhel-01').lock(reason);
    expect(await all(resumeDirectly(machines, brakes, resuming))).toMatchObject([
      { outcome: 'failed', detail: expect.stringContaining(cure) },
    ]);
    expect(on('rhel-01').locked?.reason).toBe(reason);
    expect(await all(resumeDirectly(machines, brakes, { ...resuming, force: true }))).toEqual([
      { machine: 'rhel-01', outcome: 'unlocked' },
    ]);
  });

  it('tells what cannot be reached', async () => {
    const { machines, on, brakes } = fakes('rhel-01');
    on('rhel-01').status = async () => {
      throw new MachineError('unreachable', 'rhel-01 is gone.');
    };
    expect(await all(resumeDirectly(machines, brakes, resuming))).toMatchObject([{ outcome: 'unreachable' }]);
  });
});
