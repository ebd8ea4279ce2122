import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitingAgent } from '../support/agent-program.ts';
import { isRunning } from '../support/is-running.ts';
import type { Answer } from './parts/channel.ts';
import { waitingCheck } from './parts/fleet-entries.ts';
import { type Harness, startHarness } from './parts/harness.ts';
import { Hold } from './parts/hold.ts';

/** Where each machine's run is when fleetbot is killed. */
const cases = [
  { state: 'gathering', machine: 'gathers' },
  { state: 'starting', machine: 'starts' },
  { state: 'tasking', machine: 'works' },
  { state: 'stopping', machine: 'stops' },
] as const;

describe('a worker that is killed', () => {
  let harness: Harness;
  const hold = new Hold();
  const answers = new Map<string, Answer>();

  beforeAll(async () => {
    harness = await startHarness([
      { name: 'gathers', entry: { customChecks: waitingCheck(hold.file) } },
      { name: 'starts', agentCommand: waitingAgent('ready', hold.file) },
      { name: 'works', agentCommand: waitingAgent('task', hold.file) },
      { name: 'stops', agentCommand: waitingAgent('stop', hold.file) },
    ]);
    for (const { machine } of cases) {
      const check = machine === 'gathers' ? 'waits' : 'disk';
      answers.set(machine, await harness.sre.ask(`check ${machine} ${check}`));
    }
    await Promise.all(cases.map(({ machine, state }) => answers.get(machine)?.reaches(state)));
    await harness.killFleetbot();
    await harness.startFleetbot();
    hold.release();
  });

  afterAll(async () => {
    await harness?.[Symbol.asyncDispose]();
    hold[Symbol.dispose]();
  });

  it.each(cases)('while $state: one message, one answer, no agent left', async ({ machine, state }) => {
    const ended = await answers.get(machine)?.ended();
    expect(ended?.main).toContain(':large_green_circle: *ok*');
    expect(ended?.run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    expect(ended?.run.diagnosis?.comment).toBeDefined();
    expect(ended?.run.diagnosis?.activations).toBe(state === 'starting' || state === 'tasking' ? 2 : 1);
    const mine = (await harness.sre.records()).filter((id) => id === ended?.run.id);
    expect(mine).toHaveLength(1);
    await harness.machine(machine).expectInert();
  });
});

describe('a run whose surroundings are stopped and started', () => {
  let harness: Harness;
  let hold: Hold;

  beforeAll(async () => {
    hold = new Hold();
    harness = await startHarness([{ name: 'works', agentCommand: waitingAgent('task', hold.file) }]);
  });

  beforeEach(() => hold.take());
  afterEach(() => hold.release());

  afterAll(async () => {
    await harness?.[Symbol.asyncDispose]();
    hold[Symbol.dispose]();
  });

  it('goes on after SIGTERM during its task; meanwhile no agent runs', async () => {
    const answer = await harness.sre.ask('check works disk');
    await answer.reaches('tasking');
    await harness.stopFleetbot();
    await harness.machine('works').expectInert();
    hold.release();
    await harness.startFleetbot();
    const { run } = await answer.ended();
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive', diagnosis: { activations: 2 } });
    await harness.machine('works').expectInert();
  });

  it('and the one behind it in the inbox survive a killed Redis', async () => {
    const first = await harness.sre.ask('check works disk');
    await first.reaches('tasking');
    const second = await harness.sre.ask('check works disk');
    expect(await second.run()).toMatchObject({ state: 'queued' });
    await harness.redis.kill();
    await harness.redis.restart();
    expect(isRunning(harness.machine('works').agentPid() ?? 0)).toBe(true);
    hold.release();
    for (const answer of [first, second]) {
      const { run } = await answer.ended();
      expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    }
    expect((await harness.sre.records()).filter((id) => id === first.id || id === second.id)).toHaveLength(2);
    await harness.machine('works').expectInert();
  });
});
