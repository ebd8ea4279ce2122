import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMachines, type EdgeMachines } from '../../../src/edge-client/create-machines.ts';
import type { Gate } from '../../../src/edge-client/gate.ts';
import { statusReplySchema } from '../../../src/edge-client/gate-protocol.ts';
import { transportNames } from '../../../src/fleet/machine.ts';
import { readFleetFile } from '../../../src/runtime/fleet-file.ts';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { machineGateSuite } from '../../conformance/machine-gate.ts';
import { taskTransportSuite } from '../../conformance/task-transport.ts';
import { OpenSsh } from '../../support/edge-machines/open-ssh.ts';
import { allowedCommand } from '../../support/scripts.ts';
import { flagsFor, setUp } from './parts/govern.ts';
import { type GovernedMachines, startGovernedMachines } from './parts/governed-machines.ts';
import { refusals } from './parts/intruder.ts';

const name = 'edge-01';
const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;

describe('a machine that setup-edge.sh governs', () => {
  let governed: GovernedMachines;
  let edge: EdgeMachines;
  let gate: Gate;

  beforeAll(async () => {
    // Not started yet, so that nobody has asked its gate anything.
    governed = await startGovernedMachines([{ name, flags: ['--no-warm-up'] }]);
    edge = createMachines({ privateKey: governed.key.privateKey, log: pino({ level: 'silent' }) });
    const machine = (await readFleetFile(governed.fleetFile)).machines.get(name);
    if (!machine) throw new Error(`${name} is not in the fleet file`);
    gate = edge.gate(machine);
  });

  afterAll(async () => {
    await edge?.close();
    await governed?.[Symbol.asyncDispose]();
  });

  machineGateSuite('a governed machine', async () => ({ gate, close: async () => {} }));

  it('is as it should be when it is set up again, and its entry for the fleet file is right', async () => {
    const machine = governed.machine(name);
    const { exitCode, stdout, stderr } = await setUp(machine, flagsFor(machine, governed.options(name)));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('Nothing to change');
    const { address } = machine.network;
    expect(parse(/^ {2}- name:.*\n(?: {4}.*\n)*/m.exec(stdout)?.[0] ?? '')).toEqual([
      { name, address, hostKey: machine.hostKey, agent: { image: governed.images.agent } },
    ]);
  });

  describe('when somebody comes over SSH', () => {
    let ssh: OpenSsh;

    beforeAll(() => {
      ssh = new OpenSsh(governed.machine(name), 'fleetbot', governed.key);
    });

    afterAll(() => ssh[Symbol.dispose]());

    it('lets the centre ask the gate', async () => {
      const { exitCode, stdout } = await ssh.ssh([], ['status']);
      expect(exitCode).toBe(0);
      expect(statusReplySchema.parse(JSON.parse(stdout))).toMatchObject({ machine: name, agent: 'inactive' });
    });

    for (const [what, isRefused] of Object.entries(refusals)) {
      it(`refuses ${what}`, () => isRefused(ssh));
    }

    it('lets nobody else in: with another key, from another address, as another user', async () => {
      const machine = governed.machine(name);
      using stranger = new OpenSsh(machine, 'fleetbot', newKeyPair());
      using root = new OpenSsh(machine, 'root', governed.key);
      using agent = new OpenSsh(machine, 'openclaw', governed.key);
      const attempts = [
        stranger.ssh([], ['status']),
        ssh.ssh(['-b', machine.network.strangerAddress], ['status']),
        root.ssh([], ['status']),
        agent.ssh([], ['status']),
      ];
      for (const { exitCode, stderr } of await Promise.all(attempts)) {
        expect(stderr).toContain('Permission denied');
        expect(exitCode).toBe(255);
      }
    });
  });

  describe('with its agent started', () => {
    let token: string;
    let fence: number;

    beforeAll(async () => {
      fence = (await gate.status()).fence + 1;
      ({ token } = await gate.start(fence, 'r-00000000cccc', traceparent));
      await gate.ready(fence);
    });

    afterAll(() => gate.stop(fence + 1));

    for (const transport of transportNames) {
      taskTransportSuite('a governed machine', transport, async () => ({
        open: (signal) => gate.connect(fence, signal),
        token,
        allowed: `on-host ${allowedCommand}`,
        close: async () => {},
      }));
    }
  });
});
