import { readFileSync } from 'node:fs';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMachines, type EdgeMachines } from '../../../src/edge-client/create-machines.ts';
import type { ActionReport, Gate } from '../../../src/edge-client/gate.ts';
import type { Capsule } from '../../../src/fleet/capsule.ts';
import type { Machine } from '../../../src/fleet/machine.ts';
import { publicKeyLine } from '../../../src/fleet/ssh-signature.ts';
import { readFleetFile } from '../../../src/runtime/fleet-file.ts';
import { newCapsule, newCapsuleKey, signCapsule } from '../../support/capsules.ts';
import type { EdgeMachine } from '../../support/edge-machines/edge-machine.ts';
import { fill, makeRoom } from './parts/faults.ts';
import { flagsFor, setUp } from './parts/govern.ts';
import { type GovernedMachines, startGovernedMachines } from './parts/governed-machines.ts';

const name = 'edge-01';
const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
const [key, nextKey] = [newCapsuleKey(), newCapsuleKey()];
const patience = { timeout: 60_000, interval: 200 };
const configFile = '/etc/probe.conf';
const book = '/var/lib/fleetbot/broker/actions';

const leaving = `touch ${configFile}.made; /usr/bin/sleep 296 &`;
const same = { risk: 'reversible', verify: 'disk', noUndo: 'A test has nothing to undo' };
const catalogue = {
  'vacuum-journal': {
    ...{
      ...same,
      summary: 'Keep this much of the journal',
      argv: ['journalctl', '--rotate', '--vacuum-size={size}'],
    },
    params: { size: { type: 'choice', values: ['1M', '16M'], default: '16M' } },
  },
  'restart-service': {
    ...{
      ...same,
      summary: 'Restart a service',
      argv: ['systemctl', 'restart', '{unit}'],
      risk: 'disruptive',
    },
    params: { unit: { type: 'choice', values: ['probe.service'] } },
  },
  'set-limit': {
    ...{ summary: 'Set the limit of the probe', risk: 'reversible', verify: 'disk' },
    argv: ['sed', '-i', 's/^limit=.*/limit={limit}/', configFile],
    params: { limit: { type: 'integer', min: 1, max: 100 } },
    undo: { action: 'set-limit', params: { limit: '10' } },
  },
  wait: {
    ...{ ...same, summary: 'Wait', argv: ['sleep', '{seconds}'] },
    params: { seconds: { type: 'integer', min: 1, max: 300 } },
    timeoutSeconds: 300,
  },
  pause: {
    ...{ ...same, summary: 'Wait, if nothing comes up', argv: ['sleep', '{seconds}'], interruptible: true },
    params: { seconds: { type: 'integer', min: 1, max: 300 } },
  },
  leave: {
    ...{ ...same, summary: 'Make a file and leave something running' },
    argv: ['sh', '-c', leaving],
  },
} as const;

let governed: GovernedMachines;
let edge: EdgeMachines;
let machine: EdgeMachine;
let record: Machine;

beforeAll(async () => {
  const flags = ['--no-warm-up', '--capsule-key', publicKeyLine(key)];
  governed = await startGovernedMachines([{ name, flags, entry: { actions: Object.keys(catalogue) } }], {
    fleet: { actions: catalogue },
  });
  edge = createMachines({ privateKey: governed.key.privateKey, log: pino({ level: 'silent' }) });
  const found = (await readFleetFile(governed.fleetFile)).machines.get(name);
  if (!found) throw new Error(`${name} is not in the fleet file`);
  record = found;
  machine = governed.machine(name);
  machine.write(configFile, 'name=probe\nlimit=10\n');
  machine.write('/etc/systemd/system/probe.service', '[Service]\nExecStart=/usr/bin/sleep infinity\n');
  await machine.run(['systemctl', 'daemon-reload']);
  await machine.run(['systemctl', 'start', 'probe.service']);
});

afterAll(async () => {
  await edge?.close();
  await governed?.[Symbol.asyncDispose]();
});

/** Anew each time: a machine that was rebooted may take another connection. */
const gate = (): Gate => edge.gate(record);

async function capsuleOf(action: keyof typeof catalogue, ...argv: string[]): Promise<Capsule> {
  const { fence } = await gate().status();
  return newCapsule({ machine: name, fence: fence + 1, action, argv });
}

async function begin(action: keyof typeof catalogue, ...argv: string[]): Promise<Capsule> {
  const capsule = await capsuleOf(action, ...argv);
  expect(await act(capsule)).toMatchObject({ outcome: 'running' });
  return capsule;
}

const act = (capsule: Capsule, by = key) => gate().act(capsule.fence, signCapsule(by, capsule));

/** How it ended; a machine that is away for a while is waited for. */
async function end({ id }: Capsule): Promise<ActionReport> {
  const ask = () =>
    gate()
      .result(id)
      .catch(() => ({ outcome: 'running' }));
  await expect.poll(ask, patience).not.toMatchObject({ outcome: 'running' });
  return await gate().result(id);
}

/** The processes of an action, by the seconds that it sleeps. */
async function isSleeping(seconds: number): Promise<boolean> {
  return (await machine.run(['ps', '-eo', 'args='])).split('\n').includes(`/usr/bin/sleep ${seconds}`);
}
const sleeps = (seconds: number) => expect.poll(() => isSleeping(seconds), patience).toBe(true);

describe('what people approved is really done', () => {
  it('vacuums the journal', async () => {
    const write =
      'for n in $(seq 60); do head -c 400000 /dev/urandom | base64 -w 2000; done | systemd-cat -t filler';
    const used = async () => {
      const [, size = '0', unit = ''] =
        /take up ([\d.]+)([KMG])/.exec(await machine.run(['journalctl', '--disk-usage'])) ?? [];
      return Number(size) * ({ K: 1, M: 1_024, G: 1_048_576 }[unit] ?? 0);
    };
    await machine.run(['sh', '-c', write]);
    await machine.run(['journalctl', '--sync']);
    const before = await used();
    expect(before).toBeGreaterThan(20_000);
    const capsule = await begin('vacuum-journal', 'journalctl', '--rotate', '--vacuum-size=16M');
    expect(await end(capsule)).toMatchObject({
      outcome: 'done',
      exitCode: 0,
      stderr: expect.stringContaining('freed'),
    });
    expect(await used()).toBeLessThan(before);
  });

  it('restarts a service', async () => {
    const invocation = () =>
      machine.run(['systemctl', 'show', '--property=InvocationID', '--value', 'probe.service']);
    const before = await invocation();
    expect(await end(await begin('restart-service', 'systemctl', 'restart', 'probe.service'))).toMatchObject({
      outcome: 'done',
    });
    expect(await invocation()).not.toBe(before);
    expect(await machine.run(['systemctl', 'is-active', 'probe.service'])).toBe('active\n');
  });

  it('changes a line of a file, and undoes it', async () => {
    const before = readFileSync(machine.path(configFile), 'utf8');
    const set = (limit: number) => begin('set-limit', 'sed', '-i', `s/^limit=.*/limit=${limit}/`, configFile);
    expect(await end(await set(42))).toMatchObject({ outcome: 'done' });
    expect(readFileSync(machine.path(configFile), 'utf8')).toBe('name=probe\nlimit=42\n');
    expect(await end(await set(10))).toMatchObject({ outcome: 'done' });
    expect(readFileSync(machine.path(configFile), 'utf8')).toBe(before);
  });

  it('leaves no unit behind, and stands in the journal with its run and its approval', async () => {
    const capsule = await begin('wait', 'sleep', '1');
    await end(capsule);
    await expect
      .poll(
        () =>
          machine.run(['systemctl', 'list-units', '--all', '--plain', '--no-legend', 'fleetbot-action-*']),
        patience,
      )
      .toBe('');
    const told = await machine.run([
      'journalctl',
      '-o',
      'cat',
      `FLEETBOT_APPROVAL=${capsule.id}`,
      `FLEETBOT_RUN=${capsule.run}`,
    ]);
    expect(told).toContain('wait begins: sleep 1');
    expect(told).toContain('wait ended with exit code 0');
  });
});

describe('an action that runs', () => {
  it('is ended by no lock, no stop, no end of broker, socket and SSH server; no agent starts', async () => {
    const capsule = await begin('wait', 'sleep', '21');
    await sleeps(21);
    const action = { id: capsule.id, name: 'wait' };
    expect(await gate().lock('a leak')).toEqual({ locked: true, agent: 'inactive', action });
    await machine.run(['systemctl', 'restart', 'fleetbot-broker.service']);
    await machine.run(['systemctl', 'kill', '--signal=KILL', 'fleetbot-broker.service']);
    await machine.run(['systemctl', 'restart', 'ssh.service']);
    await expect
      .poll(
        () =>
          gate()
            .status()
            .catch(() => undefined),
        patience,
      )
      .toMatchObject({ action });
    expect(await gate().unlock('a leak')).toMatchObject({ locked: false, action });
    const { fence } = capsule;
    await gate().stop(fence + 1);
    await expect(gate().start(fence + 2, capsule.run, traceparent)).rejects.toMatchObject({
      code: 'unit-failed',
    });
    expect(await isSleeping(21)).toBe(true);
    expect(await end(capsule)).toMatchObject({
      outcome: 'done',
      detail: expect.stringMatching(/after 21\.\d s/),
    });
  });

  it('is ended by a lock where it may be interrupted', async () => {
    const capsule = await begin('pause', 'sleep', '299');
    await sleeps(299);
    expect(await gate().lock('a leak')).toEqual({ locked: true, agent: 'inactive' });
    expect(await isSleeping(299)).toBe(false);
    expect(await end(capsule)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('told to end'),
    });
    await gate().unlock('a leak');
  });

  it('leaves files that others may read, and nothing running', async () => {
    expect(await end(await begin('leave', 'sh', '-c', leaving))).toMatchObject({ outcome: 'done' });
    expect(await machine.run(['stat', '-c', '%U %a', `${configFile}.made`])).toBe('root 644\n');
    await expect.poll(() => isSleeping(296), patience).toBe(false);
  });

  it('keeps setup from changing or removing anything', async () => {
    const capsule = await begin('pause', 'sleep', '295');
    const flags = flagsFor(machine, { ...governed.options(name), flags: ['--no-warm-up'] });
    for (const words of [flags, ['--uninstall', '--purge']]) {
      expect(await setUp(machine, words)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(`${capsule.id}.service runs`),
      });
    }
    expect(await isSleeping(295)).toBe(true);
    await gate().lock('a leak');
    expect(await end(capsule)).toMatchObject({ outcome: 'failed' });
    await gate().unlock('a leak');
  });

  it('has failed when it was killed, and leaves nothing running', async () => {
    const capsule = await begin('wait', 'sleep', '298');
    await sleeps(298);
    const unit = `fleetbot-action-${capsule.id}.service`;
    await machine.run(['systemctl', 'kill', '--kill-whom=main', '--signal=KILL', unit]);
    expect(await end(capsule)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('how far'),
    });
    expect(await isSleeping(298)).toBe(false);
  });

  it('is waited for by a machine that is shut down', async () => {
    const capsule = await begin('wait', 'sleep', '8');
    await sleeps(8);
    await machine.reboot();
    expect(await end(capsule)).toMatchObject({ outcome: 'done' });
  });

  it('is lost when the plug is pulled, which is said; it is not begun again', async () => {
    const capsule = await begin('wait', 'sleep', '297');
    await sleeps(297);
    await machine.kill();
    await machine.boot();
    expect(await end(capsule)).toMatchObject({
      outcome: 'lost',
      detail: expect.stringContaining('restarted'),
    });
    expect(await isSleeping(297)).toBe(false);
    expect((await gate().status()).action).toBeUndefined();
    const again = { ...capsule, fence: capsule.fence + 1 };
    expect(await act(again)).toMatchObject({
      outcome: 'refused',
      detail: expect.stringContaining('was used at'),
    });
  });
});

describe('a machine whose disk is full', () => {
  it('begins nothing, and uses up no approval; what has begun can still say how it went', async () => {
    const running = await begin('wait', 'sleep', '5');
    await fill(machine, '/');
    expect(await end(running)).toMatchObject({ outcome: 'done' });
    const capsule = await capsuleOf('wait', 'sleep', '1');
    expect(await act(capsule)).toMatchObject({
      outcome: 'refused',
      detail: expect.stringContaining('Make room'),
    });
    expect(await gate().result(capsule.id)).toMatchObject({ outcome: 'unknown' });
    expect(await machine.run(['ls', book])).not.toContain(capsule.id);
    await makeRoom(machine, '/');
    expect(await act(capsule)).toMatchObject({ outcome: 'running' });
    expect(await end(capsule)).toMatchObject({ outcome: 'done' });
  });
});

describe("the agent's user", () => {
  const asAgent = (...argv: string[]) => machine.attempt(['runuser', '-u', 'openclaw', '--', ...argv]);

  it('can change neither policy, signers and books of actions nor the programs that read them', async () => {
    const files = [
      ...[
        '/etc/fleetbot/policy.json',
        '/etc/fleetbot/capsule-signers',
        '/etc/fleetbot',
        '/var/lib/fleetbot/broker',
      ],
      ...[
        book,
        '/usr/libexec/fleetbot/broker/run_action.py',
        '/usr/libexec/fleetbot/gate',
        '/run/fleetbot/gate.sock',
      ],
    ];
    for (const file of files) {
      expect((await machine.attempt(['test', '-e', file])).exitCode).toBe(0);
      expect((await asAgent('test', '-w', file)).exitCode).not.toBe(0);
    }
    expect((await asAgent('ls', book)).exitCode).not.toBe(0);
  });

  it('can ask for no action: not at the socket of the gate, not at its own, not of systemd, not by itself', async () => {
    const capsule = await capsuleOf('wait', 'sleep', '1');
    const calls = [
      { do: 'act', fence: capsule.fence, capsule: JSON.stringify(signCapsule(key, capsule)) },
      { do: 'result', id: capsule.id },
      { do: 'action-halt' },
    ];
    const ask = `import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\\n")
print(s.makefile().read())`;
    for (const call of calls) {
      const [door, own] = ['/run/fleetbot/gate.sock', '/run/fleetbot/agent/broker.sock'].map((socket) =>
        asAgent('python3', '-c', ask, socket, JSON.stringify(call)),
      );
      expect(await door).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Permission') });
      expect(await own).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('bad-request') });
    }
    const unit = await asAgent('systemd-run', '--no-ask-password', '--unit=fleetbot-action-x', 'true');
    expect(unit.exitCode).not.toBe(0);
    const runner = ['python3', '-I', '-S', '/usr/libexec/fleetbot/broker/run_action.py', '--book', book];
    expect((await asAgent(...runner, capsule.id)).exitCode).not.toBe(0);
    expect(await gate().result(capsule.id)).toMatchObject({ outcome: 'unknown' });
  });
});

describe("the signer's keys", () => {
  it('change by setup, which keeps them where it is told none, and are told by the machine', async () => {
    const setUpWith = (...flags: string[]) =>
      setUp(machine, [
        ...flagsFor(machine, { ...governed.options(name), flags: ['--no-warm-up'] }),
        ...flags,
      ]);
    // What the machine went through above may have ended its collector, which then starts again by itself.
    const collector = ['is-active', 'fleetbot-collector.service'];
    await expect
      .poll(() => machine.attempt(['systemctl', '--user', '--machine=openclaw@', ...collector]), patience)
      .toMatchObject({ exitCode: 0 });
    const [before] = (await gate().status()).installed?.signers ?? [];
    expect(before).toMatch(/^SHA256:/);
    expect((await setUpWith()).stdout).toContain('Nothing to change');

    const both = ['--capsule-key', publicKeyLine(nextKey), '--capsule-key', publicKeyLine(key)];
    expect((await setUpWith(...both)).stdout).toContain('replace /etc/fleetbot/capsule-signers');
    const byNext = await capsuleOf('wait', 'sleep', '1');
    expect(await act(byNext, nextKey)).toMatchObject({ outcome: 'running' });
    await end(byNext);

    await setUpWith('--capsule-key', publicKeyLine(nextKey));
    const byOld = await capsuleOf('wait', 'sleep', '1');
    expect(await act(byOld)).toMatchObject({
      outcome: 'refused',
      detail: expect.stringContaining('--capsule-key'),
    });
    const { signers = [] } = (await gate().status()).installed ?? {};
    expect(signers).toHaveLength(1);
    expect(signers).not.toContain(before);
    expect(await machine.run(['/root/edge/scripts/setup-edge.sh', '--status'])).toContain(signers[0]);
  });
});
