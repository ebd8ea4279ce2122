import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createMachines, type EdgeMachines } from '../../../src/edge-client/create-machines.ts';
import type { Gate } from '../../../src/edge-client/gate.ts';
import { builtInChecks } from '../../../src/fleet/checks/index.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { readFleetFile } from '../../../src/runtime/fleet-file.ts';
import type { EdgeMachine } from '../../support/edge-machines/edge-machine.ts';
import type { ReceivedSpan } from '../../support/otlp-receiver.ts';
import { forbiddenCommands } from '../../support/scripts.ts';
import { Centre, startCentre } from '../parts/centre.ts';
import type { Answer } from '../parts/channel.ts';
import { eventually } from '../parts/eventually.ts';
import {
  certificate,
  certify,
  dataDisk,
  failService,
  fill,
  furnish,
  logErrors,
  makeRoom,
  setClockWrong,
  useUpMemory,
} from './parts/faults.ts';
import { setUp } from './parts/govern.ts';
import { type GovernedMachines, startGovernedMachines } from './parts/governed-machines.ts';
import { stepsOf, tableOf } from './parts/times.ts';

const names = ['edge-01', 'edge-02', 'edge-03'] as const;
type Name = (typeof names)[number];

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

/** Three gateways that start on two processors; the lease of a worker that died, and the reconciler's patience. */
const longRunMs = 150_000;

let governed: GovernedMachines;
let centre: Centre;
let edge: EdgeMachines;
const gates = new Map<Name, Gate>();

beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  governed = await startGovernedMachines([
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
  stack.use(governed);
  for (const name of names) await furnish(machine(name));
  const { folder, key, keyFile, fleetFile, spans } = governed;
  edge = createMachines({ privateKey: key.privateKey, log: pino({ level: 'silent' }) });
  stack.defer(() => edge.close());
  const fleet = await readFleetFile(fleetFile);
  for (const name of names) {
    const record = fleet.machines.get(name);
    if (record) gates.set(name, edge.gate(record));
  }
  const options = { folder, fleetFile, keyFile, mlflowUrl: spans.url };
  centre = await startCentre(options, stack, (parts) => new Centre(parts));
  centre.owns(stack.move());
});

afterAll(async () => {
  await centre?.[Symbol.asyncDispose]();
});

const machine = (name: Name): EdgeMachine => governed.machine(name);

function gate(name: Name): Gate {
  const found = gates.get(name);
  if (!found) throw new RangeError(`there is no gate of ${name}`);
  return found;
}

async function runOf(text: string): Promise<Run> {
  return (await (await centre.sre.ask(text)).ended()).run;
}

/** How a run ends in which agents are slow, on purpose or because several start at once. */
function endOf(answer: Answer): Promise<Run> {
  return vi.waitFor(
    async () => {
      const run = await answer.run();
      expect(run.state).toBe('done');
      return run;
    },
    { timeout: longRunMs, interval: 500 },
  );
}

const textsOf = (run: Run) => run.findings.map(({ severity, text }) => `${severity}: ${text}`).join('\n');

/** Asserts that the unit is inactive, the port closed and no process of the agent's left. */
async function expectInert(name: Name): Promise<void> {
  expect(await gate(name).status()).toMatchObject({
    agent: expect.stringMatching(/^(inactive|failed)$/),
    run: null,
  });
  expect(await machine(name).run(['ss', '-Hltn', 'sport = :18789'])).toBe('');
  const processes = await machine(name).run(['ps', '-eo', 'uid=,args=']);
  expect(processes).not.toMatch(/openclaw-gateway|\/opt\/fleetbot|\/opt\/openclaw/);
}

/** The spans of a run, once a machine's collector has brought its own. */
function spansOf(run: Run): Promise<readonly ReceivedSpan[]> {
  return eventually(() => {
    const spans = governed.spans.spans.filter(({ traceId }) => traceId === run.trace.traceId);
    expect(spans.map(({ name }) => name)).toContain('message.processed');
    if (run.diagnosis?.comment !== undefined)
      expect(spans.some(({ attributes }) => attributes['host.name'] !== undefined)).toBe(true);
    return spans;
  });
}

/** What one question to the gate takes, over a new connection and over one that is kept. */
async function sshTimes(name: Name): Promise<string> {
  const record = (await readFleetFile(governed.fleetFile)).machines.get(name);
  const machines = createMachines({ privateKey: governed.key.privateKey, log: pino({ level: 'silent' }) });
  const times: string[] = [];
  for (const connection of ['new', 'kept']) {
    const startedAt = performance.now();
    if (record) await machines.gate(record).status();
    times.push(`${connection} ${(performance.now() - startedAt).toFixed(0)} ms`);
  }
  await machines.close();
  return `status over SSH: ${times.join(', ')}`;
}

/** Resolves with the time at which the verdict stands in Slack. */
function verdictPostedAt({ id }: Answer): Promise<number> {
  return vi.waitFor(
    async () => {
      expect((await centre.queue.views.parts(id)).verdict?.posted).toBeDefined();
      return Date.now();
    },
    { timeout: longRunMs, interval: 20 },
  );
}

describe('a healthy machine', () => {
  it('answers every check from what is really the case, and is accused of nothing', async () => {
    const answers = new Map<string, Answer>();
    for (const { name } of builtInChecks) answers.set(name, await centre.sre.ask(`check edge-02 ${name}`));
    for (const [check, answer] of answers) {
      const { run } = await answer.ended();
      expect(`${check}: ${run.verdict}\n${textsOf(run)}`).toMatch(new RegExp(`^${check}: ok\n`));
    }
    const df = await machine('edge-02').run(['df', '-PkT', '/']);
    const evidence = (await answers.get('disk')?.run())?.evidence;
    expect(evidence?.outputs[0]?.stdout).toContain(df.split('\n')[1]?.split(/\s+/)[2]);
  });
});

describe('a sick machine', () => {
  const sick = 'edge-03';
  const check = (name: string) => runOf(`check ${sick} ${name}`);

  it('is found to be sick by each check', async () => {
    const patient = machine(sick);
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
      answers.push([name, text, await centre.sre.ask(`check ${sick} ${name}`)]);
    for (const [name, text, answer] of answers) {
      const { run, main } = await answer.ended();
      expect(`${name}: ${textsOf(run)}`).toMatch(text);
      expect(main).toMatch(/\*(critical|warning)\*/);
    }
    await makeRoom(patient, dataDisk);
  });

  it('is found to have a wrong clock', async () => {
    await setClockWrong(machine(sick), true);
    try {
      expect(textsOf(await check('time'))).toMatch(/critical: clock is 72\d\d\d\d\d ms ahead/);
    } finally {
      await setClockWrong(machine(sick), false);
    }
  });

  it("answers also when the agent's own file system is full, and loses nothing by it", async () => {
    await fill(machine(sick), '/');
    expect(textsOf(await check('disk'))).toMatch(/critical: \/ 100 % used/);
    const full = await runOf(`ask ${sick} MODE:tool which kernel is this?`);
    expect(full.diagnosis?.failure?.message ?? full.failure?.message).toContain('is full');
    await expectInert(sick);
    // That its agent starts again, with the secrets that it had, is seen below.
    await makeRoom(machine(sick), '/');
  });
});

describe('the real OpenClaw on real machines', () => {
  it('looks deeper into a check; how long each step took', async () => {
    const columns: Record<string, Record<string, number>> = {};
    for (const [column, name] of [
      ['with the agent', 'edge-01'],
      ['without', 'edge-02'],
    ] as const) {
      const answer = await centre.sre.ask(`check ${name} disk`);
      const postedAt = await verdictPostedAt(answer);
      const { run } = await answer.ended();
      expect(run).toMatchObject({ verdict: 'ok' });
      columns[column] = stepsOf(run, await spansOf(run), postedAt);
      if (name === 'edge-01') expect(run.diagnosis?.comment).toContain('It says: Linux');
      await expectInert(name);
    }
    const ssh = await sshTimes('edge-01');
    const { boot, setup } = governed.tookMs;
    const setups = [...setup].map(([name, ms]) => `${name} ${(ms / 1_000).toFixed(1)} s`).join(', ');
    process.stderr.write(
      `\nthree machines booted in ${(boot / 1_000).toFixed(1)} s; setup: ${setups}\n${ssh}\n${tableOf(columns)}\n`,
    );
  });

  it('answers on three machines at once, each from its own host', async () => {
    const answers: Answer[] = [];
    for (const name of names)
      answers.push(await centre.sre.ask(`ask ${name} MODE:tool which kernel is this?`));
    for (const answer of answers) {
      const run = await endOf(answer);
      expect(run).toMatchObject({ verdict: 'answered', inertness: 'inactive' });
      expect(run.diagnosis?.comment).toMatch(/^It says: Linux/);
    }
    for (const name of names) await expectInert(name);
  });

  it('is denied what it may not, and each denial is in the trace', async () => {
    const run = await runOf('ask edge-01 MODE:forbidden try what you may not');
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
      const spans = (await spansOf(run)).filter(
        ({ name, attributes }) => name === 'tool.execution' && attributes['host.name'] === 'edge-01',
      );
      expect(spans).toHaveLength(forbiddenCommands.length);
      return spans;
    });
    expect(denied.map(({ status }) => status.code)).toEqual(forbiddenCommands.map(() => 2));
    const shadow = await machine('edge-01').run(['cut', '-d:', '-f2', '/etc/shadow']);
    expect(JSON.stringify([run, denied])).not.toContain(
      shadow.split('\n').find((hash) => hash.length > 20) ?? '$y$',
    );
    const journal = await machine('edge-01').run(['journalctl', '-t', 'fleetbot-broker', '-o', 'json']);
    for (const code of ['not-readable', 'not-listed', 'wrong-run'])
      expect(journal).toContain(`"FLEETBOT_REFUSED":"${code}"`);
  });
});

describe('when something breaks', () => {
  it('a killed agent stays dead, and is reported', async () => {
    const answer = await centre.sre.ask('check edge-01 disk');
    await answer.reaches('tasking');
    await machine('edge-01').run(['pkill', '-KILL', '-f', '/opt/fleetbot/entrypoint.ts']);
    const { run } = await answer.ended();
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    expect(run.diagnosis?.failure?.message).toBeTypeOf('string');
    await expectInert('edge-01');
  });

  it('a rebooted machine keeps lock and fence, and its agent stays inactive', async () => {
    await centre.sre.tell('halt edge-02 the test reboots it', /halt/i);
    await eventually(async () => expect((await gate('edge-02').status()).lock).not.toBeNull());
    const { fence, lock } = await gate('edge-02').status();
    await machine('edge-02').reboot();
    const after = await eventually(() => gate('edge-02').status());
    expect(after).toMatchObject({ agent: 'inactive', run: null, fence, lock });
    await expectInert('edge-02');
    await centre.sre.tell('resume edge-02', /resume/i);
    await eventually(async () => expect((await gate('edge-02').status()).lock).toBeNull());
    const run = await runOf('ask edge-02 MODE:tool which kernel is this?');
    expect(run).toMatchObject({ verdict: 'answered', inertness: 'inactive' });
  });

  it('a machine with another host key is not talked to', async () => {
    const changed = machine('edge-02');
    const file = '/etc/ssh/ssh_host_ed25519_key';
    await changed.run(['sh', '-c', `mv ${file} ${file}.old && ssh-keygen -q -t ed25519 -N '' -f ${file}`]);
    await changed.run(['systemctl', 'restart', 'ssh.service']);
    // A session that is open already was let in by the old key.
    await changed.attempt(['pkill', '-f', 'sshd-session: fleetbot']);
    const run = await runOf('check edge-02 disk');
    expect(run.failure?.code).toBe('host-key-changed');
    await changed.run(['mv', `${file}.old`, file]);
    await changed.run(['systemctl', 'restart', 'ssh.service']);
    expect(await runOf('check edge-02 disk')).toMatchObject({ verdict: 'ok' });
  });

  it('a machine that is cut off is quarantined until it is measured', async () => {
    const answer = await centre.sre.ask('ask edge-01 MODE:hang');
    await answer.reaches('tasking');
    await machine('edge-01').network.cut();
    expect((await endOf(answer)).inertness).toBe('unknown');
    await machine('edge-01').network.restore();
    await vi.waitFor(() => expectInert('edge-01'), { timeout: longRunMs, interval: 1_000 });
  });

  it('a machine whose centre has died stops its agent by itself', async () => {
    const { fence } = await gate('edge-03').status();
    const flags = ['--runtime-max-seconds', String(runtimeMaxSeconds), '--no-warm-up'];
    expect((await setUp(machine('edge-03'), flags)).exitCode).toBe(0);
    expect((await gate('edge-03').status()).fence).toBe(fence);
    const answer = await centre.sre.ask('ask edge-03 MODE:hang');
    await answer.reaches('tasking');
    await centre.killFleetbot();
    expect(await gate('edge-03').status()).toMatchObject({ agent: 'active', run: answer.id });
    await vi.waitFor(() => expectInert('edge-03'), {
      timeout: 2 * runtimeMaxSeconds * 1_000,
      interval: 1_000,
    });
    await centre.startFleetbot();
    await answer.click('cancel');
    expect(await endOf(answer)).toMatchObject({ verdict: 'cancelled', inertness: 'inactive' });
  });
});
