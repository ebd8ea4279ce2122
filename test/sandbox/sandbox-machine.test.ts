import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createMachines, type EdgeMachines } from '../../src/edge-client/create-machines.ts';
import type { Gate } from '../../src/edge-client/gate.ts';
import { publicKeyLine } from '../../src/fleet/ssh-signature.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { type SandboxMachine, startSandboxMachine } from '../../src/sandbox/sandbox-machine.ts';
import { newCapsule, newCapsuleKey, signCapsule } from '../support/capsules.ts';
import { machineRecord } from '../support/machine-record.ts';

const name = 'here';
const key = newCapsuleKey();

let folder: string;
let machine: SandboxMachine;
let machines: EdgeMachines;
let gate: Gate;

/** Writes a fleet file in which the machine is authorised for these of its actions. */
function writeFleetFile(actions: readonly string[]): void {
  const greet = {
    ...{
      summary: 'Say hello',
      argv: ['echo', '{word}'],
      params: { word: { type: 'choice', values: ['hello'] } },
    },
    ...{ risk: 'reversible', verify: 'disk', noUndo: 'What was said is said' },
  };
  const fleet = {
    version: 1,
    defaults: { channel: 'C0123456789' },
    machines: [
      {
        ...{ name, address: '127.0.0.1', ssh: { port: machine.port }, hostKey: machine.hostKey },
        ...{ checks: ['disk'], actions },
      },
    ],
    actions: { greet },
    access: [],
  };
  writeFileSync(join(folder, 'fleet.yaml'), stringify(fleet));
}

function greet(fence: number, word = 'hello') {
  const capsule = newCapsule({ machine: name, fence, action: 'greet', argv: ['echo', word] });
  return { id: capsule.id, report: gate.act(fence, signCapsule(key, capsule)) };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleetbot-sandbox-'));
  const signersFile = join(folder, 'signers');
  writeFileSync(signersFile, `${publicKeyLine(key)} the signer\n`);
  const ssh = newKeyPair();
  machine = await startSandboxMachine({
    ...{ name, folder, fleetFile: join(folder, 'fleet.yaml'), authorizedKey: ssh.publicKey, signersFile },
  });
  machines = createMachines({ privateKey: ssh.privateKey, log: pino({ level: 'silent' }) });
  gate = machines.gate(machineRecord(machine, { name }));
});

afterEach(async () => {
  await machines.close();
  await machine.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the sandbox's machine", () => {
  it('runs what the fleet file authorises it for and a key of its file of signers signed', async () => {
    writeFleetFile(['greet']);
    const { id, report } = greet(1);
    expect(await report).toMatchObject({ outcome: 'running' });
    await expect
      .poll(() => gate.result(id), { timeout: 15_000 })
      .toMatchObject({ outcome: 'done', stdout: 'hello\n' });
    expect(await greet(2, 'goodbye').report).toMatchObject({ outcome: 'refused' });
  });

  it('takes back at once what the fleet file takes back', async () => {
    writeFleetFile([]);
    expect(await greet(1).report).toMatchObject({
      outcome: 'refused',
      detail: expect.stringContaining('"greet" is not among those that this machine is authorised for: none'),
    });
  });
});
