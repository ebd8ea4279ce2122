import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { describe } from 'vitest';
import { createMachines } from '../../src/edge-client/create-machines.ts';
import { capsuleNamespace, capsuleSigner } from '../../src/fleet/capsule.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { type ActingSetup, machineActionsSuite } from '../conformance/machine-actions.ts';
import { BrokerMachine } from '../support/edge-broker.ts';
import { listenForGate, skipsPython } from '../support/edge-gate.ts';
import { machineRecord } from '../support/machine-record.ts';

describe.skipIf(skipsPython)('the installed gate and the installed broker', () => {
  machineActionsSuite('as installed on machines', async ({ actions, signers }: ActingSetup) => {
    const machine = new BrokerMachine();
    await machine.prepare({ actions });
    await machine.actionPrograms();
    const lines = signers.map((line) => `${capsuleSigner} namespaces="${capsuleNamespace}" ${line}\n`);
    await writeFile(join(machine.folder, 'capsule-signers'), lines.join(''));
    await mkdir(join(machine.folder, 'gate'));
    await machine.start();
    const ssh = await listenForGate(machine.folder);
    const machines = createMachines({ privateKey: newKeyPair().privateKey, log: pino({ level: 'silent' }) });
    return {
      name: machine.name,
      gate: machines.gate(machineRecord(ssh, { name: machine.name })),
      book: join(machine.folder, 'actions'),
      async hold(held) {
        if (held) await writeFile(join(machine.folder, 'hold'), '');
        else await rm(join(machine.folder, 'hold'));
      },
      async crash() {
        await machine.end('SIGKILL');
        await machine.start();
      },
      async close() {
        await machines.close();
        await ssh.close();
        await machine.remove();
      },
    };
  });
});
