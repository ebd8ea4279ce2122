import { readFileSync } from 'node:fs';
import pino from 'pino';
import { checksOf } from '../fleet/checks/index.ts';
import { loadFleet } from '../fleet/load-fleet.ts';
import { redact } from '../telemetry/redact.ts';
import { startMachine } from './machine/start-machine.ts';
import { sandboxMachineName } from './workspace.ts';

/** Longest life of an agent whose supervisor is gone. */
const runtimeMaxMs = 10 * 60_000;

export interface SandboxMachineOptions {
  /** Where it keeps its fence, its lock and its log. */
  readonly folder: string;
  /** The machine's policy (which commands each check runs) is generated from it, at every use. */
  readonly fleetFile: string;
  /** OpenSSH public key that may log in. */
  readonly authorizedKey: string;
  readonly agentCommand?: readonly string[];
}

export interface SandboxMachine {
  readonly port: number;
  readonly hostKey: string;
  agentPid(): number | undefined;
  close(): Promise<void>;
}

/** Starts `sandbox-01`: this computer behind an SSH server on loopback that speaks the gate's protocol. */
export async function startSandboxMachine(options: SandboxMachineOptions): Promise<SandboxMachine> {
  const machine = await startMachine({
    name: sandboxMachineName,
    host: '127.0.0.1',
    port: 0,
    authorizedKey: options.authorizedKey,
    stateDir: options.folder,
    policy: () => policyOf(options.fleetFile),
    runtimeMaxMs,
    redact,
    log: pino({ name: sandboxMachineName }, pino.destination(`${options.folder}/machine.log`)),
    ...(options.agentCommand && { agentCommand: [...options.agentCommand] }),
  });
  return { ...machine, agentPid: () => machine.pids()[0] };
}

function policyOf(fleetFile: string): ReadonlyMap<string, readonly (readonly string[])[]> {
  const fleet = loadFleet(readFileSync(fleetFile, 'utf8'), fleetFile);
  const machine = fleet.machines.get(sandboxMachineName);
  return new Map(machine ? checksOf(machine).map((check) => [check.name, check.commands(machine)]) : []);
}
