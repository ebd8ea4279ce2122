import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ssh2, { type ParsedKey } from 'ssh2';
import { describe, expect, it } from 'vitest';
import {
  evidenceReplySchema,
  startReplySchema,
  statusReplySchema,
} from '../../../src/edge-client/gate-protocol.ts';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { agentProgram } from '../../support/agent-program.ts';
import { GateClient } from '../../support/gate-client.ts';
import { isRunning } from '../../support/is-running.ts';
import { MachineUnderTest, machineName, traceparent } from '../../support/machine-under-test.ts';

const run = 'r-00000000aaaa';
const otherRun = 'r-00000000bbbb';
const start = (fence: number, id = run) => `start ${fence} ${id} ${traceparent}`;

describe('the way into a machine', () => {
  it('is one key over SSH, behind the host key that it tells', async () => {
    await using under = await MachineUnderTest.start();
    const { port, hostKey } = under.machine;
    const stranger = newKeyPair().privateKey;
    await expect(GateClient.connect(port, stranger)).rejects.toThrow('authentication');
    const noKey = { privateKey: '', password: 'guess' };
    await expect(GateClient.connect(port, '', noKey)).rejects.toThrow('authentication');

    let shown: Buffer | undefined;
    const hostVerifier = (key: Buffer) => {
      shown = key;
      return true;
    };
    await using _client = await GateClient.connect(port, under.key.privateKey, { hostVerifier });
    expect(`ssh-ed25519 ${shown?.toString('base64')}`).toBe(hostKey);
  });

  it('is closed to someone who only knows the public key', async () => {
    await using under = await MachineUnderTest.start();
    const { port } = under.machine;
    const agent = new Impostor(under.key.publicKey, newKeyPair().privateKey);
    await expect(GateClient.connect(port, '', { privateKey: '', agent })).rejects.toThrow('authentication');
    expect(agent.signatures).toBe(1);
  });

  it('refuses everything but exec', async () => {
    await using under = await MachineUnderTest.start();
    const { ssh } = under.client;
    const refused = (ask: (done: (error?: Error | null) => void) => void) =>
      expect(new Promise<void>((ok, no) => ask((error) => (error ? no(error) : ok())))).rejects.toThrow();
    await refused((done) => ssh.shell(done));
    await refused((done) => ssh.sftp(done));
    await refused((done) => ssh.subsys('netconf', done));
    await refused((done) => ssh.exec('status', { pty: true }, done));
    await refused((done) => ssh.forwardOut('127.0.0.1', 1, '127.0.0.1', under.machine.port, done));
    await refused((done) => ssh.forwardIn('127.0.0.1', 0, done));
    await refused((done) => ssh.exec('status', { x11: true }, done));
    expect(await under.client.reply('status')).toMatchObject({ agent: 'inactive' });
  });

  it('answers keepalives and many requests at once over one connection', async () => {
    await using under = await MachineUnderTest.start();
    const config = { keepaliveInterval: 50, keepaliveCountMax: 4 };
    await using client = await GateClient.connect(under.machine.port, under.key.privateKey, config);
    const replies = await Promise.all(Array.from({ length: 8 }, () => client.reply('status')));
    expect(replies).toHaveLength(8);
    // Five unanswered keepalives would have ended the connection after 250 ms.
    await sleep(500);
    expect(await client.reply('status')).toMatchObject({ machine: machineName });
  });

  it('reaches a verb only through the exact grammar', async () => {
    await using under = await MachineUnderTest.start();
    for (const line of [
      'status ',
      ' status',
      'stop  1',
      'stop 01',
      'status\n',
      'status;id',
      'reboot',
      'stop 1 2',
    ]) {
      expect(await under.client.refusal(line), line).toMatchObject({ code: 'verb-refused' });
    }
    expect(await under.client.reply('status')).toMatchObject({ fence: 0 });
  });

  it('shows the same host key after a restart', async () => {
    await using under = await MachineUnderTest.start();
    const { hostKey } = under.machine;
    await under.restart();
    expect(under.machine.hostKey).toBe(hostKey);
  });

  it('shows the host key that it was given, and cannot start with a bad one', async () => {
    const given = newKeyPair();
    await using under = await MachineUnderTest.start({ hostKey: given.privateKey });
    expect(under.machine.hostKey).toBe(given.publicKey);
    await expect(MachineUnderTest.start({ hostKey: 'nonsense' })).rejects.toMatchObject({
      code: 'host-key-unusable',
    });
  });
});

describe('evidence', () => {
  it('is what df says on this computer', async () => {
    await using under = await MachineUnderTest.start();
    const evidence = evidenceReplySchema.parse(await under.client.reply('evidence 1 disk'));
    expect(evidence.check).toBe('disk');
    expect(Math.abs(Date.parse(evidence.collectedAt) - Date.now())).toBeLessThan(5_000);
    const [output] = evidence.outputs;
    expect(output).toMatchObject({ argv: ['df', '-PkT'], exitCode: 0, truncated: false });
    const fixed = (text = '') => text.split('\n').map((line) => line.split(/ +/).slice(0, 3).join(' '));
    expect(fixed(output?.stdout)).toEqual(fixed(execFileSync('df', ['-PkT'], { encoding: 'utf8' })));
  });

  it('is redacted before it leaves, and runs only what the policy says now', async () => {
    const policy = new Map([['words', [['echo', 'secret'], ['no-such-program']]]]);
    await using under = await MachineUnderTest.start({
      policy: () => policy,
      redact: (text) => text.replaceAll('secret', '[redacted]'),
    });
    expect(await under.client.reply('evidence 1 words')).toMatchObject({
      outputs: [{ stdout: '[redacted]\n' }, { exitCode: 127 }],
    });
    expect(await under.client.refusal('evidence 1 later')).toMatchObject({ code: 'verb-refused' });
    policy.set('later', [['true']]);
    expect(await under.client.reply('evidence 1 later')).toMatchObject({ outputs: [{ exitCode: 0 }] });
  });

  it('raises the fence, and does not hold up a stop while it runs', async () => {
    await using under = await MachineUnderTest.start({ policy: new Map([['slow', [['sleep', '2']]]]) });
    const begun = Date.now();
    const slow = under.client.reply('evidence 5 slow');
    await expect.poll(() => under.client.reply('status')).toMatchObject({ fence: 5 });
    expect(await under.client.reply('lock now')).toMatchObject({ locked: true });
    expect(await under.client.refusal('evidence 4 slow')).toMatchObject({ code: 'old-fence', fence: 5 });
    expect(Date.now() - begun).toBeLessThan(2_000);
    await slow;
  });
});

describe('an activation', () => {
  it('begins with start, shows in the status and ends with stop, measured', async () => {
    await using under = await MachineUnderTest.start();
    const { token } = startReplySchema.parse(await under.client.reply(start(3)));
    expect(token.length).toBeGreaterThanOrEqual(16);
    const status = statusReplySchema.parse(await under.client.reply('status'));
    expect(status).toMatchObject({ machine: machineName, agent: 'active', run, fence: 3, lock: null });
    const [pid = 0] = under.machine.pids();
    expect(isRunning(pid)).toBe(true);

    expect(await under.client.reply('stop 3')).toEqual({ agent: 'inactive' });
    expect(isRunning(pid)).toBe(false);
    expect(under.machine.pids()).toEqual([]);
    expect(await under.client.reply('status')).toMatchObject({ agent: 'inactive', run: null, fence: 3 });
    expect(await under.client.reply('stop 4')).toEqual({ agent: 'inactive' });
  });

  it('is the same one when its start is repeated, and has a new token when it is not', async () => {
    await using under = await MachineUnderTest.start();
    const first = await under.client.reply(start(3));
    const [pid] = under.machine.pids();
    expect(await Promise.all([under.client.reply(start(3)), under.client.reply(start(3))])).toEqual([
      first,
      first,
    ]);
    expect(under.machine.pids()).toEqual([pid]);
    await under.client.reply('stop 3');
    expect(await under.client.reply(start(4))).not.toEqual(first);
  });

  it('never begins again under a fence that was stopped, not even after a restart', async () => {
    await using under = await MachineUnderTest.start();
    await under.client.reply('stop 3');
    expect(await under.client.refusal(start(3))).toMatchObject({ code: 'old-fence', fence: 3 });
    await under.restart();
    expect(await under.client.refusal(start(3))).toMatchObject({ code: 'old-fence', fence: 3 });
    expect(await under.client.reply('evidence 3 disk')).toMatchObject({ check: 'disk' });
    expect(await under.client.reply(start(4))).toMatchObject({ token: expect.any(String) });
  });

  it('has to be stopped before another one begins, also by a higher fence', async () => {
    await using under = await MachineUnderTest.start();
    await under.client.reply(start(3));
    const refusal = { code: 'unit-failed', message: expect.stringContaining('Stop it first') };
    expect(await under.client.refusal(start(3, otherRun))).toMatchObject(refusal);
    expect(await under.client.refusal(start(4))).toMatchObject(refusal);
    expect(await under.client.reply('stop 4')).toEqual({ agent: 'inactive' });
    expect(await under.client.reply(start(5))).toMatchObject({ token: expect.any(String) });
  });

  it('is closed to a lower fence in every verb, which is told the highest', async () => {
    await using under = await MachineUnderTest.start();
    await under.client.reply(start(7));
    for (const line of [start(6), 'stop 6', 'evidence 6 disk', 'connect 6']) {
      expect(await under.client.refusal(line), line).toMatchObject({ code: 'old-fence', fence: 7 });
    }
    expect(await under.client.reply('status')).toMatchObject({ agent: 'active', fence: 7 });
  });

  it('is connected to only while it lasts, and with its own fence', async () => {
    await using under = await MachineUnderTest.start();
    expect(await under.client.refusal('connect 3')).toMatchObject({ code: 'not-active' });
    await under.client.reply(start(3));
    expect(await under.client.refusal('connect 4')).toMatchObject({ code: 'not-active' });
    await under.client.reply('stop 3');
    expect(await under.client.refusal('connect 3')).toMatchObject({ code: 'not-active' });
  });

  it('just ends a connection while the gateway does not listen yet', async () => {
    const agentCommand = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    await using under = await MachineUnderTest.start({ agentCommand });
    await under.client.reply(start(3));
    expect(await under.client.run('connect 3')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('approves no change without a key, however long the capsule is', async () => {
    await using under = await MachineUnderTest.start();
    const refusal = { code: 'verb-refused', message: expect.stringContaining('carries no key') };
    expect(await under.client.refusal('act 1')).toMatchObject(refusal);
    expect(await under.client.refusal('act 1', 'x'.repeat(100_000))).toMatchObject(refusal);
    expect(await under.client.reply('result a-00000000aaaa')).toMatchObject({ outcome: 'unknown' });
  });
});

describe('a machine that is locked', () => {
  it('has stopped its agent, says why, starts none, and still shows evidence', async () => {
    await using under = await MachineUnderTest.start();
    await under.client.reply(start(3));
    const [pid = 0] = under.machine.pids();
    expect(await under.client.reply('lock smoke in rack 4')).toEqual({ locked: true, agent: 'inactive' });
    expect(isRunning(pid)).toBe(false);
    expect(await under.client.reply('status')).toMatchObject({ lock: { reason: 'smoke in rack 4' } });
    expect(await under.client.refusal(start(3))).toMatchObject({
      code: 'locked',
      message: expect.stringContaining('smoke in rack 4'),
    });
    expect(await under.client.reply('stop 3')).toEqual({ agent: 'inactive' });
    expect(await under.client.reply('evidence 3 disk')).toMatchObject({ check: 'disk' });
    expect(await under.client.reply('unlock')).toEqual({ locked: false, agent: 'inactive' });
    expect(await under.client.reply(start(4))).toMatchObject({ token: expect.any(String) });
  });
});

describe('a machine that is restarted', () => {
  it('keeps fence and lock, and has no agent', async () => {
    await using under = await MachineUnderTest.start();
    await under.client.reply(start(9));
    await under.client.reply('lock maintenance');
    await under.restart();
    expect(await under.client.reply('status')).toMatchObject({
      agent: 'inactive',
      run: null,
      fence: 9,
      lock: { reason: 'maintenance' },
    });
    expect(await under.client.refusal('stop 8')).toMatchObject({ code: 'old-fence', fence: 9 });
  });

  it('does not start on a state that it cannot read: fence 0 would let old ones in', async () => {
    await using under = await MachineUnderTest.start();
    await under.client.reply('evidence 9 disk');
    const file = join(under.stateDir, 'gate.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ fence: 9 });
    await writeFile(file, '{"fence": 9');
    await expect(under.restart()).rejects.toMatchObject({ code: 'gate-state-unreadable' });
  });
});

describe('an agent', () => {
  it('that cannot be started is refused as such', async () => {
    await using under = await MachineUnderTest.start({ agentCommand: ['/nowhere/agent'] });
    expect(await under.client.refusal(start(1))).toMatchObject({ code: 'unit-failed' });
    expect(await under.client.reply('status')).toMatchObject({ agent: 'failed', run: null });
  });

  it('that ends by itself with an error is failed, and can be started again', async () => {
    await using under = await MachineUnderTest.start({ agentCommand: agentProgram('exits-at-once') });
    const first = await under.client.reply(start(1));
    await expect.poll(() => under.client.reply('status')).toMatchObject({ agent: 'failed', run: null });
    expect(await under.client.refusal('connect 1')).toMatchObject({ code: 'not-active' });
    expect(await under.client.reply(start(1))).not.toEqual(first);
    expect(await under.client.reply('stop 1')).toEqual({ agent: expect.stringMatching(/inactive|failed/) });
  });

  it('that ignores SIGTERM is killed with its whole group', async () => {
    const agentCommand = agentProgram('stubborn');
    await using under = await MachineUnderTest.start({ agentCommand, stopGraceMs: 300 });
    await under.client.reply(start(1));
    const [pid = 0] = under.machine.pids();
    await expect.poll(() => groupOf(pid).length, { timeout: 10_000 }).toBeGreaterThan(1);
    const group = groupOf(pid);
    expect(await under.client.reply('stop 1')).toEqual({ agent: 'failed' });
    await expect.poll(() => group.filter(isRunning)).toEqual([]);
  });

  it('that nobody stops is killed by the dead-man switch', async () => {
    await using under = await MachineUnderTest.start({ runtimeMaxMs: 300 });
    await under.client.reply(start(1));
    const [pid = 0] = under.machine.pids();
    await expect.poll(() => under.client.reply('status')).toMatchObject({ agent: 'failed', run: null });
    expect(isRunning(pid)).toBe(false);
  });

  it('ends when its machine is closed', async () => {
    const under = await MachineUnderTest.start();
    await under.client.reply(start(1));
    const [pid = 0] = under.machine.pids();
    await under[Symbol.asyncDispose]();
    expect(isRunning(pid)).toBe(false);
  });

  it('ends when its machine is killed', async () => {
    await using killed = await killMachineDuringActivation();
    await expect.poll(() => isRunning(killed.agentPid), { timeout: 10_000 }).toBe(false);
  });

  it('that outlives its killed machine all the same is killed when the machine returns', async () => {
    const agentCommand = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    await using killed = await killMachineDuringActivation(agentCommand);
    expect(isRunning(killed.agentPid)).toBe(true);
    await using under = await MachineUnderTest.start({ stateDir: killed.stateDir });
    await expect.poll(() => isRunning(killed.agentPid)).toBe(false);
    expect(await under.client.reply('status')).toMatchObject({ agent: 'inactive', run: null, fence: 1 });
  });
});

/** An SSH agent that shows one key and signs with another. */
class Impostor extends ssh2.BaseAgent {
  signatures = 0;
  readonly #shown: string;
  readonly #signer: ParsedKey;

  constructor(shown: string, signer: string) {
    super();
    this.#shown = shown;
    this.#signer = parsed(signer);
  }

  override getIdentities(done: (error: undefined, keys: ParsedKey[]) => void): void {
    done(undefined, [parsed(this.#shown)]);
  }

  override sign(
    _key: unknown,
    data: Buffer,
    _options: unknown,
    done?: (error: undefined, sig: Buffer) => void,
  ) {
    this.signatures += 1;
    const signature = this.#signer.sign(data);
    if (signature instanceof Error) throw signature;
    done?.(undefined, signature);
  }
}

function parsed(key: string): ParsedKey {
  const read = ssh2.utils.parseKey(key);
  if (read instanceof Error) throw read;
  return read;
}

function groupOf(pid: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pgid=,pid='], { encoding: 'utf8' });
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ +/).map(Number));
  return rows.filter(([group]) => group === pid).map(([, member = 0]) => member);
}

/** Runs a machine in a process of its own, starts its agent, and kills the machine with SIGKILL. */
async function killMachineDuringActivation(agentCommand?: readonly string[]) {
  const stateDir = await mkdtemp(join(tmpdir(), 'fleetbot-killed-'));
  const { privateKey, publicKey: authorizedKey } = newKeyPair();
  const program = fileURLToPath(new URL('../../support/machine-process.ts', import.meta.url));
  const options = JSON.stringify({ stateDir, authorizedKey, agentCommand });
  const machine = spawn(process.execPath, [program, options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(createInterface(machine.stdout), 'line');
  const client = await GateClient.connect(Number(port), privateKey);
  await client.reply(start(1));
  const state = JSON.parse(await readFile(join(stateDir, 'gate.json'), 'utf8'));
  const agentPid: number = state.activation.pid;
  expect(isRunning(agentPid)).toBe(true);
  const exited = once(machine, 'exit');
  machine.kill('SIGKILL');
  await exited;
  return {
    stateDir,
    agentPid,
    async [Symbol.asyncDispose]() {
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
