import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createMachines, type EdgeMachines } from '../../src/edge-client/create-machines.ts';
import type { Gate } from '../../src/edge-client/gate.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { type SandboxMachine, startMachine } from '../../src/sandbox/machine/start-machine.ts';
import { machineRecord } from './machine-record.ts';

/** A machine with a real SSH server, gate, broker and agent process, and a client of it. */
export interface GateMachine {
  readonly machine: Machine;
  readonly machines: EdgeMachines;
  readonly gate: Gate;
  readonly sandbox: SandboxMachine;
  close(): Promise<void>;
}

/** What the check `disk` runs on the machine. */
export const diskCommands: readonly (readonly string[])[] = [['df', '-PkT']];

/** Starts a machine whose agent follows the `MODE:…` of its task, or runs another program as its agent. */
export async function startGateMachine(
  changes: Parameters<typeof machineRecord>[1] & { agentCommand?: readonly string[] } = {},
): Promise<GateMachine> {
  const stateDir = await mkdtemp(join(tmpdir(), 'fleetbot-machine-'));
  const key = newKeyPair();
  const scripted = fileURLToPath(new URL('./agents/scripted-agent.ts', import.meta.url));
  const sandbox = await startMachine({
    name: changes.name ?? 'test-01',
    host: '127.0.0.1',
    port: 0,
    authorizedKey: key.publicKey,
    stateDir,
    policy: new Map([['disk', diskCommands]]),
    agentCommand: changes.agentCommand ?? [process.execPath, scripted],
    stopGraceMs: 2_000,
    redact: (text) => text,
    log: pino({ level: 'silent' }),
  });
  const machine = machineRecord(sandbox, changes);
  const machines = createMachines({ privateKey: key.privateKey, log: pino({ level: 'silent' }) });
  return {
    machine,
    machines,
    gate: machines.gate(machine),
    sandbox,
    async close() {
      await machines.close();
      await sandbox.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
