import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGatewayHttp } from '../../../src/sandbox/agent/gateway-http.ts';
import { createGatewayWs } from '../../../src/sandbox/agent/gateway-ws.ts';
import type { Model } from '../../../src/sandbox/agent/model.ts';
import { Sessions } from '../../../src/sandbox/agent/sessions.ts';
import type { AgentBehaviour } from './behaviour.ts';

const tokenBytes = 32;

/**
 * The agent of one activation, inside this process: the sandbox's gateway (HTTP and WebSocket as OpenClaw speaks
 * them) without a port; its connections are pairs of streams.
 */
export class SimulatedAgent {
  readonly token = randomBytes(tokenBytes).toString('base64url');
  readonly #ending = new AbortController();
  readonly #open = new Set<Duplex>();
  readonly #http;
  readonly #ws;
  #listens = false;

  /** @param onDeath called when the agent dies by itself */
  constructor(behaviour: AgentBehaviour, onTask: () => void, onDeath: () => void) {
    const { signal } = this.#ending;
    const clock = Date.now;
    const model = modelOf(behaviour, signal, onTask, onDeath);
    const sessions = new Sessions({ model, clock, exec: async (command) => outputOf(command.split(' ')) });
    const facts = { token: this.token, sessions, clock };
    this.#http = createServer(createGatewayHttp({ ...facts, isReady: () => true }));
    this.#ws = createGatewayWs({ ...facts, modelName: model.name });
    this.#http.on('upgrade', (request, socket, head) => {
      this.#ws.handleUpgrade(request, socket, head, (client) => this.#ws.emit('connection', client, request));
    });
    void this.#begin(behaviour, onDeath);
  }

  /** A connection to the gateway; undefined while its port takes none. */
  connect(): Duplex | undefined {
    if (!this.#listens) return undefined;
    const [near, far] = duplexPair();
    for (const [side, other] of [
      [near, far],
      [far, near],
    ] as const) {
      side.on('error', () => {}).once('close', () => other.destroy());
    }
    this.#open.add(far);
    far.once('close', () => this.#open.delete(far));
    this.#http.emit('connection', far);
    return near;
  }

  /** Ends it at once, with every connection. */
  kill(): void {
    this.#listens = false;
    this.#ending.abort();
    this.#ws.close();
    for (const connection of this.#open) connection.destroy();
  }

  async #begin({ readyAfterMs, ends }: AgentBehaviour, onDeath: () => void): Promise<void> {
    const { signal } = this.#ending;
    await sleep(readyAfterMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (ends === 'dies-starting') onDeath();
    else this.#listens = true;
  }
}

/** The tool is called early in a task. */
const firstStep = 0.1;

/** One tool call, then the answer, within the time of the task. */
function modelOf(
  behaviour: AgentBehaviour,
  ending: AbortSignal,
  onTask: () => void,
  onDeath: () => void,
): Model {
  return {
    name: 'simulated',
    async next(_task, observations, signal) {
      if (observations.length === 0) onTask();
      const stop = AbortSignal.any([signal, ending]);
      const stepMs = behaviour.taskMs * (observations.length === 0 ? firstStep : 1 - firstStep);
      await sleep(behaviour.ends === 'hangs' ? forEverMs : stepMs, undefined, { signal: stop });
      if (observations.length === 0) return { kind: 'exec', command: 'cat /proc/uptime' };
      if (behaviour.ends === 'dies-tasking') {
        onDeath();
        stop.throwIfAborted();
      }
      return { kind: 'answer', text: 'All is well.\nVERDICT: ok' };
    },
  };
}

const forEverMs = 3_600_000;

function outputOf(argv: string[]) {
  return { argv, exitCode: 0, stdout: '1000.00 2000.00\n', stderr: '', truncated: false, durationMs: 1 };
}
