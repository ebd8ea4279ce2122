import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitingAgent } from '../support/agent-program.ts';
import { isRunning } from '../support/is-running.ts';
import { eventually } from './parts/eventually.ts';
import { type Harness, startHarness } from './parts/harness.ts';
import { Hold } from './parts/hold.ts';

const limits = { connectTimeoutMs: 1_000, statusTimeoutMs: 1_000, stopTimeoutMs: 2_000 };

let harness: Harness;
const hold = new Hold();

beforeAll(async () => {
  harness = await startHarness([
    { name: 'haunted', entry: { limits } },
    { name: 'vanishes', agentCommand: waitingAgent('task', hold.file), entry: { limits } },
    { name: 'first', agentCommand: waitingAgent('task', hold.file) },
    { name: 'second' },
  ]);
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  hold[Symbol.dispose]();
});

const metric = async (line: RegExp): Promise<number> => {
  const text = await (await fetch(`http://${harness.health}/metrics`)).text();
  return Number(line.exec(text)?.[1] ?? Number.NaN);
};

describe('the reconciler', () => {
  it('stops an agent that no run wants, and says so in the channel and in the metrics', async () => {
    const machine = harness.machine('haunted');
    await harness.stopFleetbot();
    await machine.startStray('r-0000000000zz');
    const agent = machine.agentPid() ?? 0;
    expect(isRunning(agent)).toBe(true);
    await harness.startFleetbot();
    await eventually(() => expect(isRunning(agent)).toBe(false));
    await machine.expectInert();
    const message = await harness.sre.reads(/haunted[\s\S]*r-0000000000zz/);
    expect(message).toMatch(/stopped/);
    await eventually(async () =>
      expect(await metric(/fleetbot_reconciler_findings_total\{[^}]*stray-stopped[^}]*\} (\d+)/)).toBe(1),
    );
  });

  it('lifts a quarantine once it has measured the machine, without anybody asking', async () => {
    const machine = harness.machine('vanishes');
    const answer = await harness.sre.ask('check vanishes disk');
    await answer.reaches('tasking');
    const agent = machine.agentPid() ?? 0;
    machine.link.freeze();
    const { main, run } = await answer.ended();
    expect(run).toMatchObject({ inertness: 'unknown' });
    expect(main).toContain('INERTNESS UNKNOWN');
    expect(await harness.sre.askAside('check vanishes disk')).toMatch(/quarantine/i);
    const [later] = await harness.queue.requests.runs({ machine: 'vanishes', limit: 1 });
    const told = await harness.sre.answer(later?.id ?? '').ended();
    expect(told.run).toMatchObject({ verdict: 'inconclusive', failure: { code: 'unreachable' } });
    expect(told.main).toMatch(/has been in quarantine since/);

    await machine.link.restore();
    await harness.sre.reads(/vanishes[\s\S]*quarantine/i);
    await eventually(() => expect(isRunning(agent)).toBe(false));
    await eventually(async () =>
      expect(await harness.sre.askAside('show vanishes')).not.toContain('QUARANTINED'),
    );
    await machine.expectInert();
    hold.release();
  });
});

it('a cold start of everything goes on where it was, and brings every message up to date', async () => {
  hold.take();
  const working = await harness.sre.ask('check first disk');
  await working.reaches('tasking');
  const behind = await harness.sre.ask('check first disk');
  const done = await harness.sre.ask('check second disk');
  await done.reaches('done');
  await harness.killFleetbot();
  await harness.redis.kill();
  hold.release();
  await harness.redis.restart();
  await harness.startFleetbot();
  for (const answer of [working, behind, done]) {
    const { run } = await answer.ended();
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
  }
  for (const name of ['first', 'second']) await harness.machine(name).expectInert();
});
