import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import type { AgentState } from '../../edge-client/gate-protocol.ts';
import { FleetbotError, MachineError } from '../../fleet/errors.ts';
import { killGroup } from './broker.ts';
import { answerHostCall } from './host-tool.ts';

export interface AgentUnitOptions {
  /** Argument vector of the agent's program. */
  readonly command: readonly string[];
  /** After SIGTERM the agent has this long before SIGKILL. */
  readonly stopGraceMs: number;
  /** Dead-man switch: an agent that nobody stopped ends after this. */
  readonly runtimeMaxMs: number;
  readonly redact: (text: string) => string;
  readonly clock: () => number;
  readonly log: Logger;
}

interface Life {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly token: string;
  /** Resolves when the process has exited and its group is killed. */
  readonly ended: Promise<void>;
}

const tokenBytes = 32;
const host = '127.0.0.1';

/**
 * The agent as systemd would keep it: one process group, started and stopped on request, never restarted,
 * bounded in its life time. It also ends when this process does: its stdin and its message channel close.
 */
export class AgentUnit {
  readonly #options: AgentUnitOptions;
  #life: Life | undefined;
  #state: AgentState = 'inactive';

  constructor(options: AgentUnitOptions) {
    this.#options = options;
  }

  get state(): AgentState {
    return this.#state;
  }

  /** The agent's process, while there is one. */
  get pid(): number | undefined {
    return this.#life?.pid;
  }

  /** Bearer token of the running agent's gateway. */
  get token(): string | undefined {
    return this.#life?.token;
  }

  /**
   * Starts the agent with a port and a token of its own. Resolves when the process runs, not when it is ready.
   * @throws MachineError `unit-failed`
   */
  async start(): Promise<{ pid: number; token: string }> {
    await this.#life?.ended;
    const [program = '', ...args] = this.#options.command;
    const port = await freePort();
    const token = randomBytes(tokenBytes).toString('base64url');
    const child = spawn(program, args, {
      env: {
        PATH: process.env.PATH,
        LC_ALL: 'C',
        OPENCLAW_GATEWAY_PORT: String(port),
        OPENCLAW_GATEWAY_TOKEN: token,
      },
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      this.#state = 'failed';
      throw new MachineError('unit-failed', `The agent's program ${program} cannot be started.`, {
        cause: error,
      });
    }
    const { pid } = child;
    if (pid === undefined) throw new FleetbotError('internal', 'A process was started without a pid.');
    this.#state = 'active';
    this.#life = { child, pid, port, token, ended: this.#watch(child, pid) };
    return { pid, token };
  }

  /** Ends the agent's whole process group and returns the state measured after it. */
  async stop(): Promise<AgentState> {
    const life = this.#life;
    if (life === undefined) return this.#state;
    this.#state = 'deactivating';
    life.child.kill('SIGTERM');
    const kill = setTimeout(() => killGroup(life.pid), this.#options.stopGraceMs);
    await life.ended;
    clearTimeout(kill);
    return this.#state;
  }

  /** A connection to the agent's gateway; undefined while its port does not take one. */
  async connect(): Promise<Socket | undefined> {
    if (this.#life === undefined) return undefined;
    const socket = tcpConnect({ host, port: this.#life.port, noDelay: true });
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      return undefined;
    }
  }

  async #watch(child: ChildProcess, pid: number): Promise<void> {
    const { clock, log, redact, runtimeMaxMs } = this.#options;
    const ending = new AbortController();
    child.on('message', async (message) => {
      const reply = await answerHostCall(message, { redact, clock, signal: ending.signal });
      if (reply === undefined) log.warn('the agent sent a message that is not a call');
      else if (child.connected) child.send(reply, () => undefined);
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream)
        createInterface(stream).on('line', (line) => log.info({ line: redact(line) }, 'the agent printed'));
    }
    let expired = false;
    const deadMan = setTimeout(() => {
      expired = true;
      log.warn({ runtimeMaxMs }, 'nobody stopped the agent in time: it is killed');
      killGroup(pid);
    }, runtimeMaxMs);

    child.on('error', (error) => log.warn({ err: error }, 'the agent could not be reached'));
    const { promise: exited, resolve } = Promise.withResolvers<[number | null, NodeJS.Signals | null]>();
    child.once('exit', (code, signal) => resolve([code, signal]));
    const [code, signal] = await exited;
    clearTimeout(deadMan);
    ending.abort();
    // What the agent left behind in its group must not outlive it.
    killGroup(pid);
    this.#life = undefined;
    this.#state = !expired && (code === 0 || signal === 'SIGTERM') ? 'inactive' : 'failed';
    log.info({ code, signal }, 'the agent ended');
  }
}

/** When a process began, in kernel ticks; null where there is none, or no `/proc`. */
export async function processStart(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc(5): field 22, starttime. The second field may hold spaces and ends with the last ")".
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[22 - 3] ?? null;
  } catch {
    return null;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string')
    throw new FleetbotError('internal', 'No port was free.');
  return address.port;
}
