import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInChecks } from '../../../src/fleet/checks/index.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { forbiddenCommands } from '../../support/scripts.ts';
import type { Answer } from '../parts/channel.ts';
import { eventually } from '../parts/eventually.ts';
import { type EdgeFleet, startEdgeFleet } from './parts/edge-fleet.ts';
import {
  certificate,
  certify,
  dataDisk,
  failService,
  fill,
  logErrors,
  makeRoom,
  setClockWrong,
  useUpMemory,
} from './parts/faults.ts';
import { setUp } from './parts/govern.ts';
import { stepsOf, tableOf } from './parts/times.ts';

const names = ['edge-01', 'edge-02', 'edge-03'] as const;

/** What is true of these machines whatever else runs on this computer. */
const expected = {
  disk: { ignoreMounts: ['/var/lib/edge-images'] },
  // The processors, and so the load, are this computer's.
  load: { warnPerCpu: 1_000, criticalPerCpu: 2_000 },
  services: { active: ['ssh.service'] },
  // A busy computer answers late.
  time: { warnSkewMs: 5_000 },
  certs: { files: [certificate] },
  network: { interfaces: ['host0'], listening: [22] },
};
/** An agent that nobody stops ends so long after its start, in the test of it. */
const runtimeMaxSeconds = 45;

let fleet: EdgeFleet;

beforeAll(async () => {
  fleet = await startEdgeFleet([
    // A person's checks are diagnosed here, and only here; questions are answered by the agent everywhere.
    { name: 'edge-01', entry: { expect: expected, limits: { stopTimeoutMs: 20_000 } } },
    { name: 'edge-02', entry: { expect: expected, agent: { diagnose: 'never' } }, flags: ['--no-warm-up'] },
    {
      name: 'edge-03',
      entry: { expect: expected, agent: { diagnose: 'never' } },
      disksMiB: { [dataDisk]: 64 },
      flags: ['--no-warm-up'],
    },
  ]);
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

const textsOf = (run: Run) => run.findings.map(({ severity, text }) => `${severity}: ${text}`).join('\n');

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** What one question to the gate takes, over a new connection and over one that is kept. */
async function sshTimes(name: string): Promise<string> {
  return await fleet.atGate(name, async (gate) => {
    const times: string[] = [];
    for (const connection of ['new', 'kept']) {
      const startedAt = performance.now();
      await gate.status();
      times.push(`${connection} ${(performance.now() - startedAt).toFixed(0)} ms`);
    }
    return `status over SSH: ${times.join(', ')}`;
  });
}

describe('a healthy machine', () => {
  it('answers every check from what is really the case, and is accused of nothing', async () => {
    const answers = new Map<string, Answer>();
    for (const { name } of builtInChecks)
      answers.set(name, await fleet.centre.sre.ask(`check edge-02 ${name}`));
    for (const [check, answer] of answers) {
      const { run } = await answer.ended();
      expect(`${check}: ${run.verdict}\n${textsOf(run)}`).toMatch(new RegExp(`^${check}: ok\n`));
    }
    const df = await fleet.machine('edge-02').run(['df', '-PkT', '/']);
    const evidence = (await answers.get('disk')?.run())?.evidence;
    expect(evidence?.outputs[0]?.stdout).toContain(df.split('\n')[1]?.split(/\s+/)[2]);
  });
});

describe('a sick machine', () => {
  const sick = 'edge-03';
  const check = (name: string) => fleet.runOf(`check ${sick} ${name}`);

  it('is found to be sick by each check', async () => {
    const patient = fleet.machine(sick);
    await fill(patient, dataDisk);
    await useUpMemory(patient);
    await failService(patient);
    await logErrors(patient);
    await patient.kernelSays(
      3,
      'EXT4-fs error (device vda1): ext4_lookup:1855: inode #2: deleted inode referenced: 17',
    );
    await certify(patient, 3);
    const wanted = {
      disk: /critical: \/srv\/data 100 % used/,
      memory: /critical: memory 1\.\d % of/,
      services: /warning: broken\.service has failed/,
      logs: /warning: payments logged 7 error lines/,
      kernel: /critical: kernel reports 1 × file system error/,
      certs: /critical: \/etc\/pki\/site\.crt is valid for 2 days/,
    };
    const answers: [string, RegExp, Answer][] = [];
    for (const [name, text] of Object.entries(wanted))
      answers.push([name, text, await fleet.centre.sre.ask(`check ${sick} ${name}`)]);
    for (const [name, text, answer] of answers) {
      const { run, main } = await answer.ended();
      expect(`${name}: ${textsOf(run)}`).toMatch(text);
      expect(main).toMatch(/\*(critical|warning)\*/);
    }
    await makeRoom(patient, dataDisk);
  });

  it('is found to have a wrong clock', async () => {
    await setClockWrong(fleet.machine(sick), true);
    try {
      expect(textsOf(await check('time'))).toMatch(/critical: clock is 72\d\d\d\d\d ms ahead/);
    } finally {
      await setClockWrong(fleet.machine(sick), false);
    }
  });

  it("answers also when the agent's own file system is full, and loses nothing by it", async () => {
    await fill(fleet.machine(sick), '/');
    expect(textsOf(await check('disk'))).toMatch(/critical: \/ 100 % used/);
    const full = await fleet.runOf(`ask ${sick} MODE:tool which kernel is this?`);
    expect(full.diagnosis?.failure?.message ?? full.failure?.message).toContain('is full');
    await fleet.expectInert(sick);
    // That its agent starts again, with the secrets that it had, is seen below.
    await makeRoom(fleet.machine(sick), '/');
  });
});

describe('the real OpenClaw on real machines', () => {
  it('looks deeper into a check; how long each step took', async () => {
    const columns: Record<string, Record<string, number>> = {};
    for (const [column, name] of [
      ['with the agent', 'edge-01'],
      ['without', 'edge-02'],
    ] as const) {
      const answer = await fleet.centre.sre.ask(`check ${name} disk`);
      const postedAt = await fleet.verdictPostedAt(answer);
      const { run } = await answer.ended();
      expect(run).toMatchObject({ verdict: 'ok' });
      columns[column] = stepsOf(run, await fleet.spansOf(run), postedAt);
      if (name === 'edge-01') expect(run.diagnosis?.comment).toContain('It says: Linux');
      await fleet.expectInert(name);
    }
    const ssh = await sshTimes('edge-01');
    const { boot, setup } = fleet.governed.tookMs;
    const setups = [...setup].map(([name, ms]) => `${name} ${seconds(ms)}`).join(', ');
    const [first] = /the agent was ready after .*/.exec(fleet.governed.said.get('edge-01') ?? '') ?? [];
    process.stderr.write(
      `\nthree machines booted in ${seconds(boot)}; setup: ${setups}\nbefore anything was cached, ${first}\n${ssh}\n${tableOf(columns)}\n`,
    );
  });

  it('answers on three machines at once, each from its own host', async () => {
    const answers: Answer[] = [];
    for (const name of names)
      answers.push(await fleet.centre.sre.ask(`ask ${name} MODE:tool which kernel is this?`));
    for (const answer of answers) {
      const run = await fleet.endOf(answer);
      expect(run).toMatchObject({ verdict: 'answered', inertness: 'inactive' });
      expect(run.diagnosis?.comment).toMatch(/^It says: Linux/);
    }
    for (const name of names) await fleet.expectInert(name);
  });

  it('is denied what it may not, and each denial is in the trace', async () => {
    const run = await fleet.runOf('ask edge-01 MODE:forbidden try what you may not');
    const calls = run.diagnosis?.toolCalls ?? [];
    expect(calls.map(({ input, failed }) => ({ input, failed }))).toEqual(
      forbiddenCommands.map((input) => ({ input, failed: true })),
    );
    expect(run.diagnosis?.comment).toBe('None of it worked.');
    expect(calls.map(({ output }) => /refused \(([a-z-]+)\)|exec denied/.exec(output)?.[0])).toEqual([
      'refused (not-readable)',
      'refused (not-listed)',
      'refused (not-listed)',
      'refused (wrong-run)',
      ...Array.from({ length: 3 }, () => 'exec denied'),
    ]);
    const denied = await eventually(async () => {
      const spans = (await fleet.spansOf(run)).filter(
        ({ name, attributes }) => name === 'tool.execution' && attributes['host.name'] === 'edge-01',
      );
      expect(spans).toHaveLength(forbiddenCommands.length);
      return spans;
    });
    expect(denied.map(({ status }) => status.code)).toEqual(forbiddenCommands.map(() => 2));
    const secret = await fleet.machine('edge-01').run(['head', '-n', '1', '/etc/shadow']);
    expect(JSON.stringify([run, denied])).not.toContain(secret.trim());
    const journal = await fleet.machine('edge-01').run(['journalctl', '-t', 'fleetbot-broker', '-o', 'json']);
    for (const code of ['not-readable', 'not-listed', 'wrong-run'])
      expect(journal).toContain(`"FLEETBOT_REFUSED":"${code}"`);
  });
});

describe('when something breaks', () => {
  it('a killed agent stays dead, and is reported', async () => {
    const answer = await fleet.centre.sre.ask('check edge-01 disk');
    await answer.reaches('tasking');
    await fleet.machine('edge-01').run(['pkill', '-KILL', '-f', '/opt/fleetbot/entrypoint.ts']);
    const { run } = await answer.ended();
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    expect(run.diagnosis?.failure?.message).toBeTypeOf('string');
    await fleet.expectInert('edge-01');
  });

  it('a rebooted machine keeps lock and fence, and its agent stays inactive', async () => {
    await fleet.centre.sre.tell('halt edge-02 the test reboots it', /halt/i);
    await eventually(async () => expect((await fleet.status('edge-02')).lock).not.toBeNull());
    const { fence, lock } = await fleet.status('edge-02');
    await fleet.machine('edge-02').reboot();
    const after = await eventually(() => fleet.status('edge-02'));
    expect(after).toMatchObject({ agent: 'inactive', run: null, fence, lock });
    await fleet.expectInert('edge-02');
    await fleet.centre.sre.tell('resume edge-02', /resume/i);
    await eventually(async () => expect((await fleet.status('edge-02')).lock).toBeNull());
    const run = await fleet.runOf('ask edge-02 MODE:tool which kernel is this?');
    expect(run).toMatchObject({ verdict: 'answered', inertness: 'inactive' });
  });

  it('a machine with another host key is not talked to', async () => {
    const changed = fleet.machine('edge-02');
    const file = '/etc/ssh/ssh_host_ed25519_key';
    await changed.run(['sh', '-c', `mv ${file} ${file}.old && ssh-keygen -q -t ed25519 -N '' -f ${file}`]);
    await changed.run(['systemctl', 'restart', 'ssh.service']);
    // A session that is open already was let in by the old key.
    await changed.attempt(['pkill', '-f', 'sshd-session: fleetbot']);
    const run = await fleet.runOf('check edge-02 disk');
    expect(run.failure?.code).toBe('host-key-changed');
    await changed.run(['mv', `${file}.old`, file]);
    await changed.run(['systemctl', 'restart', 'ssh.service']);
    expect(await fleet.runOf('check edge-02 disk')).toMatchObject({ verdict: 'ok' });
  });

  it('a machine that is cut off is quarantined until it is measured', async () => {
    const answer = await fleet.centre.sre.ask('ask edge-01 MODE:hang');
    await answer.reaches('tasking');
    await fleet.machine('edge-01').network.cut();
    expect((await fleet.endOf(answer)).inertness).toBe('unknown');
    await fleet.machine('edge-01').network.restore();
    await fleet.becomesInert('edge-01');
  });

  it('a machine whose centre has died stops its agent by itself', async () => {
    const { fence } = await fleet.status('edge-03');
    const flags = ['--runtime-max-seconds', String(runtimeMaxSeconds), '--no-warm-up'];
    expect((await setUp(fleet.machine('edge-03'), flags)).exitCode).toBe(0);
    expect((await fleet.status('edge-03')).fence).toBe(fence);
    const answer = await fleet.centre.sre.ask('ask edge-03 MODE:hang');
    await answer.reaches('tasking');
    await fleet.centre.killFleetbot();
    expect(await fleet.status('edge-03')).toMatchObject({ agent: 'active', run: answer.id });
    await fleet.becomesInert('edge-03');
    await fleet.centre.startFleetbot();
    await answer.click('cancel');
    expect(await fleet.endOf(answer)).toMatchObject({ verdict: 'cancelled', inertness: 'inactive' });
  });
});
