import { readFileSync } from 'node:fs';
import pino, { type Logger } from 'pino';
import { z } from 'zod';
import type { Catalogue } from '../fleet/action.ts';
import { checksOf } from '../fleet/checks/index.ts';
import { edgePolicy } from '../fleet/edge-policy.ts';
import { FleetFileError } from '../fleet/errors.ts';
import { loadFleet } from '../fleet/load-fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { redact } from '../telemetry/redact.ts';
import { type ActionRule, actionRuleSchema } from './machine/admit-capsule.ts';
import type { Policy } from './machine/gate.ts';
import { readSigners } from './machine/read-signers.ts';
import { startMachine } from './machine/start-machine.ts';

/** Longest life of an agent whose supervisor is gone. */
const defaultRuntimeMaxMs = 10 * 60_000;

export interface SandboxMachineOptions {
  readonly name: string;
  /** Where it keeps its fence, its lock and its log. */
  readonly folder: string;
  /** The machine's policy (the commands of each check, its actions) is generated from it, anew at every use. */
  readonly fleetFile: string;
  /** OpenSSH public key that may log in. */
  readonly authorizedKey: string;
  /** Keys that may sign what the machine is to change, a line of OpenSSH each; none: it can only be looked at. */
  readonly signersFile?: string;
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

/** What the machine is authorised for. */
interface Authorised {
  readonly checks: Policy;
  readonly actions: ReadonlyMap<string, ActionRule>;
}

const policyActionsSchema = z.object({ actions: z.record(z.string(), actionRuleSchema) });

/** Starts a machine: this computer behind an SSH server on loopback that speaks the gate's protocol. */
export async function startSandboxMachine(options: SandboxMachineOptions): Promise<SandboxMachine> {
  const { name, folder, signersFile } = options;
  const log = pino({ name }, pino.destination(`${folder}/machine.log`));
  const authorised = authorisedBy(options.fleetFile, name, log);
  const machine = await startMachine({
    name,
    host: '127.0.0.1',
    port: 0,
    authorizedKey: options.authorizedKey,
    stateDir: folder,
    policy: () => authorised().checks,
    actions: () => authorised().actions,
    ...(signersFile && { signers: () => readSigners(signersFile) }),
    runtimeMaxMs: options.runtimeMaxMs ?? defaultRuntimeMaxMs,
    redact,
    log,
    ...(options.agentCommand && { agentCommand: [...options.agentCommand] }),
  });
  return { ...machine, agentPid: () => machine.pids()[0], renewPolicy: () => void authorised() };
}

/** By the fleet file as it is; while that is invalid, as it was before, as fleetbot itself does it. */
function authorisedBy(fleetFile: string, name: string, log: Logger): () => Authorised {
  const nothing: Authorised = { checks: new Map(), actions: new Map() };
  let authorised = nothing;
  return () => {
    try {
      const { machines, actions } = loadFleet(readFileSync(fleetFile, 'utf8'), fleetFile);
      const machine = machines.get(name);
      authorised = machine ? authorisedFor(machine, actions) : nothing;
    } catch (error) {
      if (!(error instanceof FleetFileError)) throw error;
      log.warn({ err: error }, 'the fleet file is invalid: the policy stays as it was');
    }
    return authorised;
  };
}

function authorisedFor(machine: Machine, catalogue: Catalogue): Authorised {
  const policy = policyActionsSchema.parse(JSON.parse(edgePolicy(machine, catalogue)));
  return {
    checks: new Map(checksOf(machine).map((check) => [check.name, check.commands(machine)])),
    actions: new Map(Object.entries(policy.actions)),
  };
}
