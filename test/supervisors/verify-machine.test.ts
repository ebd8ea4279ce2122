import { describe, expect, it } from 'vitest';
import { edgeKitVersion } from '../../src/fleet/edge-kit.ts';
import { edgePolicy, policyDigest } from '../../src/fleet/edge-policy.ts';
import { MachineError } from '../../src/fleet/errors.ts';
import type { CommandOutput } from '../../src/fleet/evidence.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import { type Proof, proofNames } from '../../src/supervisors/verify-machine/proof.ts';
import { verificationRun } from '../../src/supervisors/verify-machine/verification-run.ts';
import { verifyMachine } from '../../src/supervisors/verify-machine/verify-machine.ts';
import type { VerifyParts } from '../../src/supervisors/verify-machine/verify-parts.ts';
import { type FakeBehaviour, FakeMachine } from '../support/fake-machine.ts';
import { machineRecord } from '../support/machine-record.ts';
import { RecordedTracer } from './recorded-tracer.ts';

const machine = machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==' });
const df = [
  'Filesystem Type 1024-blocks Used Available Capacity Mounted on',
  '/dev/vda1 ext4 1000 10 990 1% /',
  '',
].join('\n');
const outputs: FakeBehaviour['outputs'] = () =>
  commandsOfDisk().map((argv) => ({
    ...{ argv: [...argv], exitCode: 0, stdout: df, stderr: '', truncated: false, durationMs: 1 },
  }));
const notRun = (output: CommandOutput): CommandOutput => ({ ...output, exitCode: 126 });
const saying =
  (output: string, failed = false): FakeBehaviour['answer'] =>
  async () => ({
    text: 'Linux 6.18 x86_64',
    toolCalls: [
      {
        ...{ id: 'call_1', tool: 'exec', input: 'on-host uname -srm', output },
        ...{ failed, startedAt: 0, endedAt: 1 },
      },
    ],
  });
const answer = saying('Linux 6.18 x86_64');

function commandsOfDisk(): readonly (readonly string[])[] {
  const { checks } = JSON.parse(edgePolicy(machine, new Map()));
  return checks.disk.commands;
}

function soundMachine(behaviour: Partial<FakeBehaviour> = {}): FakeMachine {
  const fake = new FakeMachine({ outputs, answer, ...behaviour });
  fake.highestFence = 41;
  fake.installed = {
    ...{ gate: edgeKitVersion, broker: edgeKitVersion, plugin: edgeKitVersion, traces: true },
    ...{ image: 'agent@sha256:0', policy: policyDigest(edgePolicy(machine, new Map())) },
  };
  return fake;
}

async function verify(
  gate: FakeMachine,
  changes: Partial<VerifyParts> = {},
  signal = new AbortController().signal,
  of: Machine = machine,
): Promise<{ proofs: Map<string, Proof>; tracer: RecordedTracer }> {
  const tracer = new RecordedTracer();
  const parts: VerifyParts = {
    gate,
    catalogue: new Map(),
    attempts: async () => [{ what: 'a shell', refused: true }],
    refusesOtherHostKey: async () => true,
    tracer,
    machineSpans: async () => ['tool.execution', 'model.inference'],
    redact: (text) => text.replaceAll('hunter2', '[redacted]'),
    clock: () => 1_000,
    ...changes,
  };
  const run = verificationRun(of, 'ann@desk', 1_000, (digits) => 'a'.repeat(digits));
  const proofs = new Map<string, Proof>();
  for await (const proof of verifyMachine(of, run, parts, signal)) proofs.set(proof.name, proof);
  return { proofs, tracer };
}

function outcomes(proofs: ReadonlyMap<string, Proof>): Record<string, string> {
  return Object.fromEntries([...proofs].map(([name, { outcome }]) => [name, outcome]));
}

describe('verifying a machine', () => {
  it('proves everything of a sound one, in its order, and leaves its agent stopped', async () => {
    const gate = soundMachine();
    const { proofs, tracer } = await verify(gate);
    expect([...proofs.keys()]).toEqual(proofNames);
    expect(new Set(Object.values(outcomes(proofs)))).toEqual(new Set(['proved']));
    expect(proofs.get('broker')?.detail).toBe('disk ok');
    expect(gate.books.at(-1)).toBe('stop');
    expect((await gate.status()).agent).toBe('inactive');
    expect(tracer.finished).toHaveLength(1);
  });

  it('never uses a fence that the machine has seen', async () => {
    const gate = soundMachine();
    await verify(gate);
    expect(gate.highestFence).toBeGreaterThan(41);
  });

  it('tries nothing on one that does not answer', async () => {
    const gate = soundMachine();
    gate.unreachableAfterMs = 0;
    const { proofs } = await verify(gate);
    expect(outcomes(proofs)).toEqual({ reached: 'failed' });
  });

  it('lets a run that is under way alone', async () => {
    const gate = soundMachine();
    await gate.start(41, 'r-00000000aaaa', '00');
    const { proofs } = await verify(gate);
    expect(outcomes(proofs)).toEqual({ reached: 'failed' });
    expect(proofs.get('reached')?.detail).toContain('r-00000000aaaa');
    expect((await gate.status()).agent).toBe('active');
  });

  it('starts no agent on a locked one, says so, and proves the rest', async () => {
    const gate = soundMachine();
    await gate.lock('halt h-1 by U1: password hunter2');
    const { proofs } = await verify(gate);
    expect(outcomes(proofs)).toMatchObject({ fence: 'proved', broker: 'proved', agent: 'skipped' });
    expect(proofs.get('agent')?.detail).toContain('[redacted]');
    expect(gate.books.filter((entry) => entry.startsWith('start'))).toEqual([]);
  });

  it.each<[string, () => [FakeMachine, Partial<VerifyParts>?], string]>([
    ['pin', () => [soundMachine(), { refusesOtherHostKey: async () => false }], 'Another host key'],
    [
      'gate',
      () => [soundMachine(), { attempts: async () => [{ what: 'a shell', refused: false }] }],
      'a shell',
    ],
    ['installed', () => [Object.assign(soundMachine(), { installed: undefined }), {}], 'does not tell'],
    ['broker', () => [soundMachine({ outputs: () => [] })], 'other commands'],
    [
      'agent',
      () => [soundMachine({ answer: async () => ({ text: 'It is fine.', toolCalls: [] }) })],
      'did not run',
    ],
    [
      'agent',
      () => [soundMachine({ answer: saying('refused (not-listed): It is not.') })],
      'and got: "refused',
    ],
    ['agent', () => [soundMachine({ answer: saying('Linux 6.18 x86_64', true) })], 'and got: "Linux'],
    ['broker', () => [soundMachine({ outputs: () => outputs('disk').map(notRun) })], 'could run no command'],
    [
      'trace',
      () => [soundMachine(), { machineSpans: async () => Promise.reject(new Error('no span came')) }],
      'no span',
    ],
  ])('shows what is wrong with %s', async (name, make, words) => {
    const [gate, changes] = make();
    const { proofs } = await verify(gate, changes);
    expect(proofs.get(name)).toMatchObject({ outcome: 'failed', detail: expect.stringContaining(words) });
    expect((await gate.status()).agent).toBe('inactive');
  });

  it('names each part that is not what the fleet file wants', async () => {
    const gate = soundMachine();
    gate.installed = {
      ...gate.installed,
      gate: '0.9.0',
      broker: null,
      plugin: null,
      traces: false,
      image: null,
      policy: 'sha256:0',
    };
    const { proofs } = await verify(gate);
    expect(proofs.get('installed')?.outcome).toBe('failed');
    for (const part of ['gate', 'broker', 'policy']) expect(proofs.get('installed')?.detail).toContain(part);
  });

  it('shows a machine that takes an old fence', async () => {
    const gate = soundMachine();
    const careless = Object.assign(gate, {
      evidence: async () => ({ collectedAt: '', outputs: outputs('disk') }),
    });
    const { proofs } = await verify(careless);
    expect(proofs.get('fence')).toMatchObject({ outcome: 'failed' });
  });

  it('stops the agent also when it is broken off in the middle', async () => {
    const abort = new AbortController();
    const gate = soundMachine({
      answer: () => {
        abort.abort(new Error('Ctrl-C'));
        return new Promise(() => {});
      },
    });
    const { proofs } = await verify(gate, {}, abort.signal);
    expect(proofs.get('stop')?.outcome).toBe('proved');
    expect((await gate.status()).agent).toBe('inactive');
  });

  it('shows an agent that cannot be stopped', async () => {
    const gate = Object.assign(soundMachine(), {
      stop: () => Promise.reject(new MachineError('timeout', 'It is still active.')),
    });
    const { proofs } = await verify(gate);
    expect(proofs.get('stop')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/^It is still active\. The agent of .* may still run: say fleetbot halt/),
    });
  });

  it('leaves alone an agent that a run has started there meanwhile', async () => {
    const gate = soundMachine();
    const evidence = gate.evidence.bind(gate);
    let asked = 0;
    gate.evidence = async (fence, check) => {
      const reply = await evidence(fence, check);
      // The last of them: what follows is the agent's start.
      if (++asked === 2) await gate.start(fence, 'r-00000000bbbb', '00');
      return reply;
    };
    const { proofs } = await verify(gate);
    expect(proofs.get('agent')).toMatchObject({ outcome: 'failed' });
    expect(proofs.get('stop')?.detail).toContain('for run r-00000000bbbb and was left alone');
    expect(await gate.status()).toMatchObject({ agent: 'active', run: 'r-00000000bbbb' });
  });

  it('starts no agent and looks for no trace once it is broken off', async () => {
    const abort = new AbortController();
    const gate = soundMachine();
    const broken = async () => {
      abort.abort(new Error('Ctrl-C'));
      return true;
    };
    const { proofs } = await verify(gate, { refusesOtherHostKey: broken }, abort.signal);
    expect([...proofs.keys()].at(-1)).toBe('broker');
    expect(gate.books.filter((entry) => entry.startsWith('start'))).toEqual([]);
  });

  it('takes an answer over a transport that shows no commands for no more than it is', async () => {
    const chatting = { ...machine, agent: { ...machine.agent, transport: 'chat-completions' } } as const;
    const gate = soundMachine({ answer: async () => ({ text: 'Linux, I guess', toolCalls: [] }) });
    const { proofs } = await verify(gate, {}, undefined, chatting);
    expect(proofs.get('agent')).toMatchObject({
      ...{ outcome: 'proved', detail: expect.stringContaining('cannot be seen over chat-completions') },
    });
  });

  it('shows an agent that is still there after its stop', async () => {
    const gate = Object.assign(soundMachine(), { stop: async () => {} });
    const { proofs } = await verify(gate);
    expect(proofs.get('stop')).toMatchObject({
      ...{ outcome: 'failed', detail: expect.stringContaining('is active after it was stopped') },
    });
  });

  it('says that traces were not looked for where none are kept', async () => {
    const { proofs } = await verify(soundMachine(), { machineSpans: undefined });
    expect(proofs.get('trace')).toMatchObject({ outcome: 'skipped' });
  });
});
