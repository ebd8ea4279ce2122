import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { waitingAgent } from '../support/agent-program.ts';
import { isRunning } from '../support/is-running.ts';
import { eventually } from './parts/eventually.ts';
import { type Harness, startHarness } from './parts/harness.ts';
import { Hold } from './parts/hold.ts';

/** How long Redis or Slack is away. */
const outageMs = 10_000;
/** Dead-man switch of the agents here. */
const runtimeMaxMs = 12_000;
/** Of a machine that answers to nobody. */
const limits = { connectTimeoutMs: 1_000, statusTimeoutMs: 1_000, stopTimeoutMs: 2_000 };

describe('an outage', () => {
  let harness: Harness;
  let hold: Hold;

  beforeAll(async () => {
    hold = new Hold();
    const agentCommand = waitingAgent('task', hold.file);
    harness = await startHarness([
      { name: 'steady', agentCommand },
      { name: 'cut', agentCommand, runtimeMaxMs, entry: { limits } },
      { name: 'frozen', agentCommand, runtimeMaxMs, entry: { limits } },
      { name: 'absent' },
      { name: 'reinstalled', entry: { hostKey: newKeyPair().publicKey } },
    ]);
  });

  beforeEach(() => hold.take());
  afterEach(() => hold.release());

  afterAll(async () => {
    await harness?.[Symbol.asyncDispose]();
    hold[Symbol.dispose]();
  });

  it.each([
    ['cut', () => harness.machine('cut').link.cut()],
    ['frozen', () => harness.machine('frozen').link.freeze()],
  ] as const)(
    'of a machine during its run (link %s) quarantines it until it is measured',
    async (name, fail) => {
      const machine = harness.machine(name);
      const answer = await harness.sre.ask(`check ${name} disk`);
      await answer.reaches('tasking');
      const pid = machine.agentPid() ?? 0;
      await fail();

      const { main, thread, run } = await answer.ended();
      expect(main).toContain(':large_green_circle: *ok*');
      expect(main).toContain('INERTNESS UNKNOWN');
      expect(main).toContain('quarantined');
      expect(thread).toContain('The verdict above rests on the evidence alone and stands');
      expect(run).toMatchObject({ verdict: 'ok', inertness: 'unknown' });
      expect(await harness.sre.askAside(`show ${name}`)).toContain('QUARANTINED');
      // Nobody could tell it to stop: its own switch does.
      await eventually(() => expect(isRunning(pid)).toBe(false));

      hold.release();
      await machine.link.restore();
      const next = await (await harness.sre.ask(`check ${name} disk`)).ended();
      expect(next.run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
      expect(await harness.sre.askAside(`show ${name}`)).not.toContain('QUARANTINED');
      await machine.expectInert();
    },
  );

  it('of a machine from the start: no evidence, no verdict', async () => {
    const machine = harness.machine('absent');
    await machine.link.cut();
    const { main, run } = await (await harness.sre.ask('check absent disk')).ended();
    expect(main).toContain(':grey_question: *inconclusive*');
    expect(main).toContain('could not be reached over SSH');
    expect(main).toContain('agent not started');
    expect(run).toMatchObject({ verdict: 'inconclusive', inertness: 'never-started' });
    expect(machine.agentPids()).toEqual([]);
    await machine.expectInert();
  });

  it('of trust: a changed host key is told, and nothing is sent', async () => {
    const machine = harness.machine('reinstalled');
    const { main, run } = await (await harness.sre.ask('check reinstalled disk')).ended();
    expect(main).toContain(':grey_question: *inconclusive*');
    expect(main).toContain(
      'showed another host key than the one in the fleet file, so nothing was sent to it',
    );
    expect(run).toMatchObject({ failure: { code: 'host-key-changed' }, inertness: 'never-started' });
    expect(machine.agentPids()).toEqual([]);
    expect(await machine.status()).toMatchObject({ agent: 'inactive', fence: 0 });
  });

  it('of Redis: a run goes on where it was, and who asks meanwhile is told', async () => {
    const answer = await harness.sre.ask('check steady disk');
    await answer.reaches('tasking');
    const records = await harness.sre.records();
    await harness.redis.kill();
    hold.release();
    const back = sleep(outageMs);
    expect(await harness.sre.askAside('check steady disk')).toContain('could not reach its store in time');
    await back;
    await harness.redis.restart();
    const { main, run } = await answer.ended();
    expect(main).toContain(':large_green_circle: *ok*');
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive', diagnosis: { activations: 1 } });
    expect(await harness.sre.records()).toEqual(records);
    await harness.machine('steady').expectInert();
  });

  it('of Slack: the answer waits for it and stands there once', async () => {
    const answer = await harness.sre.ask('check steady disk');
    await answer.reaches('tasking');
    harness.freezeSlack();
    hold.release();
    await answer.reaches('done');
    await harness.machine('steady').expectInert();
    await sleep(outageMs);
    harness.thawSlack();
    const { main, run } = await answer.ended();
    expect(main).toContain(':large_green_circle: *ok*');
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
  });
});
