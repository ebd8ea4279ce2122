import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitingAgent } from '../support/agent-program.ts';
import { isRunning } from '../support/is-running.ts';
import type { Answer } from './parts/channel.ts';
import { eventually } from './parts/eventually.ts';
import { type Harness, startHarness } from './parts/harness.ts';
import { Hold } from './parts/hold.ts';

/** A machine that answers to nobody is found out soon. */
const limits = { connectTimeoutMs: 1_000, statusTimeoutMs: 1_000, stopTimeoutMs: 3_000 };
const machines = ['works', 'idle', 'away'] as const;

let harness: Harness;
const hold = new Hold();

const lockOf = async (name: string) => (await harness.machine(name).status()).lock;

beforeAll(async () => {
  harness = await startHarness([
    { name: 'works', agentCommand: waitingAgent('task', hold.file), entry: { limits } },
    { name: 'idle', entry: { limits } },
    { name: 'away', entry: { limits } },
  ]);
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  hold[Symbol.dispose]();
});

describe('/fleet halt', () => {
  let atWork: Answer;
  let waiting: Answer;

  it('stops and locks what it reaches, and says in one message what it does not', async () => {
    atWork = await harness.sre.ask('check works disk');
    await atWork.reaches('tasking');
    waiting = await harness.sre.ask('check works disk');
    const agent = harness.machine('works').agentPid() ?? 0;
    await harness.machine('away').link.cut();

    await harness.sre.tell('halt all disks on fire', /disks on fire/);
    await harness.sre.reads(/2 of 3[\s\S]*unreachable[\s\S]*away/i);
    expect(isRunning(agent)).toBe(false);
    await harness.machine('works').expectInert();
    for (const name of ['works', 'idle']) {
      expect((await lockOf(name))?.reason).toMatch(/^halt h-\w+ by U\w+: disks on fire$/);
    }
    const { run, main } = await atWork.ended();
    expect(run).toMatchObject({
      inertness: 'inactive',
      cancellation: { halt: expect.stringMatching(/^h-/) },
    });
    expect(main).toMatch(/halt/i);
    expect(await waiting.run()).toMatchObject({ state: 'queued' });
  });

  it('lets nothing new in, and only people with the right may lift it', async () => {
    expect(await harness.sre.askAside('check idle disk')).toMatch(/halted[\s\S]*disks on fire/);
    expect(await harness.visitor.askAside('resume all')).toMatch(/may not/);
    expect(await lockOf('idle')).not.toBeNull();
  });

  it('holds over a restart of everything, and reaches who comes back', async () => {
    await harness.killFleetbot();
    await harness.redis.kill();
    await harness.redis.restart();
    await harness.startFleetbot();
    expect(await harness.sre.askAside('check idle disk')).toMatch(/halted/);
    await harness.machine('away').link.restore();
    await eventually(async () => expect((await lockOf('away'))?.reason).toMatch(/^halt h-/));
    await harness.sre.reads(/3 of 3/);
    expect(await waiting.run()).toMatchObject({ state: 'queued' });
  });

  it('is lifted by resume; what waited is answered, and new requests are', async () => {
    hold.release();
    await harness.sre.tell('resume all', /resume/i).catch(() => undefined);
    for (const name of machines) await eventually(async () => expect(await lockOf(name)).toBeNull());
    expect((await waiting.ended()).run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    const next = await (await harness.sre.ask('check idle disk')).ended();
    expect(next.run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    for (const name of machines) await harness.machine(name).expectInert();
  });
});

describe('fleetbot halt --direct', () => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  /** The exit code, and what was printed. */
  const fleetbot = async (...args: string[]) => {
    const env = { PATH: process.env.PATH, ...harness.directSettings };
    const done = promisify(execFile)(process.execPath, [main, ...args], { env });
    return done.then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
    );
  };

  it('stops and locks without Redis, Slack and fleetbot', async () => {
    hold.take();
    const answer = await harness.sre.ask('check works disk');
    await answer.reaches('tasking');
    const agent = harness.machine('works').agentPid() ?? 0;
    await harness.killFleetbot();
    await harness.redis.kill();
    harness.freezeSlack();
    await harness.machine('away').link.cut();

    const { code, stdout } = await fleetbot('halt', '--direct', '--yes', 'all', 'the', 'bot', 'is', 'mad');
    expect(stdout).toMatch(/unreachable/);
    expect(code).toBe(1);
    expect(isRunning(agent)).toBe(false);
    for (const name of ['works', 'idle']) {
      expect((await lockOf(name))?.reason).toMatch(/^halt --direct by .*: the bot is mad$/);
    }
  });

  it('is not undone when fleetbot comes back, but by resume --direct', async () => {
    await harness.redis.restart();
    harness.thawSlack();
    await harness.startFleetbot();
    const refused = await (await harness.sre.ask('check idle disk')).ended();
    expect(refused.run).toMatchObject({ failure: { code: 'locked' } });
    expect(await lockOf('idle')).not.toBeNull();

    await harness.machine('away').link.restore();
    const { code } = await fleetbot('resume', '--direct', 'all');
    expect(code).toBe(0);
    for (const name of machines) expect(await lockOf(name)).toBeNull();
    hold.release();
    const next = await (await harness.sre.ask('check idle disk')).ended();
    expect(next.run).toMatchObject({ verdict: 'ok' });
  });
});
