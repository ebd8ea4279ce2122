import { readFileSync } from 'node:fs';
import pino, { type Logger } from 'pino';
import { checksOf } from '../fleet/checks/index.ts';
import { FleetFileError } from '../fleet/errors.ts';
import { loadFleet } from '../fleet/load-fleet.ts';
import { redact } from '../telemetry/redact.ts';
import type { Policy } from './machine/gate.ts';
import { startMachine } from './machine/start-machine.ts';

/** Longest life of an agent whose supervisor is gone. */
const defaultRuntimeMaxMs = 10 * 60_000;

export interface SandboxMachineOptions {
  readonly name: string;
  /** Where it keeps its fence, its lock and its log. */
  readonly folder: string;
  /** The machine's policy (which commands each check runs) is generated from it, anew at every use. */
  readonly fleetFile: string;
  /** OpenSSH public key that may log in. */
  readonly authorizedKey: string;
  readonly agentCommand?: readonly string[];
  readonly runtimeMaxMs?: number;
}

export interface SandboxMachine {
  readonly port: number;
  readonly hostKey: string;
  agentPid(): number | undefined;
  /** Takes its policy from the fleet file, which tells this machine's port and so is written after its start. */
  renewPolicy(): void;
  close(): Promise<void>;
}

/** Starts a machine: this computer behind an SSH server on loopback that speaks the gate's protocol. */
export async function startSandboxMachine(options: SandboxMachineOptions): Promise<SandboxMachine> {
  const { name, folder } = options;
  const log = pino({ name }, pino.destination(`${folder}/machine.log`));
  const policy = policyFrom(options.fleetFile, name, log);
  const machine = await startMachine({
    name,
    host: '127.0.0.1',
    port: 0,
    authorizedKey: options.authorizedKey,
    stateDir: folder,
    policy,
    runtimeMaxMs: options.runtimeMaxMs ?? defaultRuntimeMaxMs,
    redact,
    log,
    ...(options.agentCommand && { agentCommand: [...options.agentCommand] }),
  });
  return { ...machine, agentPid: () => machine.pids()[0], renewPolicy: () => void policy() };
}

/** The policy by the fleet file as it is; while that is invalid, the one before, as fleetbot itself does it. */
function policyFrom(fleetFile: string, name: string, log: Logger): () => Policy {
  let policy: Policy = new Map();
  return () => {
    try {
      const machine = loadFleet(readFileSync(fleetFile, 'utf8'), fleetFile).machines.get(name);
      policy = new Map(
        machine ? checksOf(machine).map((check) => [check.name, check.commands(machine)]) : [],
      );
    } catch (error) {
      if (!(error instanceof FleetFileError)) throw error;
      log.warn({ err: error }, 'the fleet file is invalid: the policy stays as it was');
    }
    return policy;
  };
}
