import type { KeyObject } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Actions } from './actions.ts';
import type { ActionRule } from './admit-capsule.ts';
import { AgentUnit } from './agent-unit.ts';
import { openGate, type Policy } from './gate.ts';
import { loadHostKey } from './host-key.ts';
import { startSshServer } from './ssh-server.ts';

/** After SIGTERM an agent has this long before SIGKILL. */
const defaultStopGraceMs = 10_000;
/** Dead-man switch of the agent. */
const defaultRuntimeMaxMs = 15 * 60_000;

const sandboxAgent: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../agent/main.ts', import.meta.url)),
];

export interface MachineOptions {
  readonly name: string;
  readonly host: '127.0.0.1';
  /** 0: any free port. */
  readonly port: number;
  /** The supervisor's public key, as a line of `authorized_keys`. */
  readonly authorizedKey: string;
  /** Private host key in OpenSSH format; when absent, one is made once and kept in `stateDir`. */
  readonly hostKey?: string;
  /** Where the machine keeps its fence, its lock, its host key and what became of its actions. */
  readonly stateDir: string;
  /** The commands of each check; a function is asked anew for every request. */
  readonly policy: Policy | (() => Policy);
  /** What the machine is authorised for, asked anew for every request; nothing by default. */
  readonly actions?: () => ReadonlyMap<string, ActionRule>;
  /** Who may sign what it is to change, asked anew for every request; nobody by default. */
  readonly signers?: () => readonly KeyObject[];
  /** Argument vector of what runs an action; see `actions.ts`. */
  readonly actionRunner?: readonly string[];
  /** Argument vector of the agent's program; the sandbox agent by default. See `agent/run-agent.ts`. */
  readonly agentCommand?: readonly string[];
  readonly runtimeMaxMs?: number;
  readonly stopGraceMs?: number;
  /** Removes secrets from everything that leaves the machine. */
  readonly redact: (text: string) => string;
  /** Milliseconds since the epoch: the machine's own clock. */
  readonly clock?: () => number;
  readonly log: Logger;
}

export interface SandboxMachine {
  readonly port: number;
  /** Public host key to pin: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** The agent's process, while one runs; else empty. */
  pids(): readonly number[];
  /** Stops the agent, cuts every connection and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts a machine in this process: an SSH server on loopback that speaks the gate's protocol
 * (`edge-client/gate-protocol.ts`), runs checks on this computer, and starts and stops a real agent process. The
 * agent ends with this process, even when it is killed.
 * @throws FleetbotError when its state, a key or the port cannot be used
 */
export async function startMachine(options: MachineOptions): Promise<SandboxMachine> {
  const { name, stateDir, redact, clock = Date.now } = options;
  const { policy } = options;
  const log = options.log.child({ machine: name });
  const hostKey = await loadHostKey(stateDir, options.hostKey);
  const unit = new AgentUnit({
    command: options.agentCommand ?? sandboxAgent,
    stopGraceMs: options.stopGraceMs ?? defaultStopGraceMs,
    runtimeMaxMs: options.runtimeMaxMs ?? defaultRuntimeMaxMs,
    redact,
    clock,
    log,
  });
  const gate = await openGate({
    name,
    stateDir,
    policy: typeof policy === 'function' ? policy : () => policy,
    unit,
    actions: new Actions({
      machine: name,
      stateDir,
      rules: options.actions ?? (() => new Map()),
      signers: options.signers ?? (() => []),
      clock,
      log,
      ...(options.actionRunner && { runner: options.actionRunner }),
    }),
    redact,
    clock,
    log,
  });
  const ssh = await startSshServer({
    host: options.host,
    port: options.port,
    hostKeyPem: hostKey.privatePem,
    authorizedKey: options.authorizedKey,
    answer: (line, stdin) => gate.answer(line, stdin),
    log,
  });
  return {
    port: ssh.port,
    hostKey: hostKey.publicLine,
    pids: () => (unit.pid === undefined ? [] : [unit.pid]),
    async close() {
      await ssh.close();
      await gate.close();
    },
  };
}
