import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { AgentState } from '../../src/edge-client/gate-protocol.ts';
import { edgeKitVersion } from '../../src/fleet/edge-kit.ts';

const requestSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('about') }),
  z.strictObject({ do: z.literal('agent-state') }),
  z.strictObject({
    do: z.literal('agent-start'),
    fence: z.int().positive(),
    run: z.string(),
    traceparent: z.string(),
  }),
  z.strictObject({ do: z.literal('agent-wait') }),
  z.strictObject({ do: z.literal('agent-stop') }),
  z.strictObject({ do: z.literal('evidence'), fence: z.int().positive(), check: z.string() }),
  z.strictObject({ do: z.literal('act'), fence: z.int().positive(), capsule: z.string() }),
  z.strictObject({ do: z.literal('result'), id: z.string() }),
  z.strictObject({ do: z.literal('action-state') }),
  z.strictObject({ do: z.literal('action-halt') }),
]);
export type BrokerRequest = z.infer<typeof requestSchema>;

/** What runs while the agent's unit is active; nothing by default. */
export interface AgentProcess {
  start(token: string): Promise<void>;
  stop(): Promise<void>;
}

/** The broker's side of the gate's socket, as an edge machine's broker speaks it; the agent's unit is a variable. */
export class BrokerStandIn implements AsyncDisposable {
  /** The unit's state; a test may set it, as a unit that dies by itself does. */
  agent: AgentState = 'inactive';
  /** What the unit becomes when it is started. */
  becomes: AgentState = 'active';
  /** The action that runs. */
  action: { readonly id: string; readonly name: string; readonly interruptible: boolean } | null = null;
  /** Called before each request is answered; what it returns is written instead of the answer. */
  before: (request: BrokerRequest) => Promise<string | undefined> = async () => undefined;
  /** Every request, in order. */
  readonly requests: BrokerRequest[] = [];
  readonly #process: AgentProcess;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  #activation: { readonly fence: number; readonly run: string; readonly token: string } | undefined;

  private constructor(process: AgentProcess) {
    this.#process = process;
  }

  static async start(path: string, process?: AgentProcess): Promise<BrokerStandIn> {
    const broker = new BrokerStandIn(process ?? { start: async () => {}, stop: async () => {} });
    broker.#server.listen(path);
    await once(broker.#server, 'listening');
    return broker;
  }

  asked(what: BrokerRequest['do']): number {
    return this.requests.filter((request) => request.do === what).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await this.#process.stop();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const lines = createInterface(socket);
    // A gate that was killed.
    for (const emitter of [socket, lines]) emitter.on('error', () => {});
    lines.once('line', async (line) => {
      const request = requestSchema.parse(JSON.parse(line));
      this.requests.push(request);
      socket.end((await this.before(request)) ?? `${JSON.stringify(await this.#answer(request))}\n`);
    });
  }

  async #answer(request: BrokerRequest): Promise<unknown> {
    switch (request.do) {
      case 'about':
        return {
          ok: {
            ...{ broker: edgeKitVersion, plugin: edgeKitVersion, traces: true },
            ...{ image: 'agent@sha256:1', policy: 'sha256:2', signers: ['SHA256:3'] },
          },
        };
      case 'agent-state':
      case 'agent-wait':
        return { ok: { agent: this.agent } };
      case 'agent-start':
        return await this.#start(request);
      case 'agent-stop':
        await this.#process.stop();
        if (this.agent !== 'failed') this.agent = 'inactive';
        return { ok: { agent: this.agent } };
      case 'evidence': {
        const { check } = request;
        return check === 'disk'
          ? { ok: { check, collectedAt: new Date().toISOString(), outputs: [] } }
          : { refused: { code: 'verb-refused', message: `The policy has no check ${check}.` } };
      }
      case 'act':
        return { refused: { code: 'verb-refused', message: 'This machine carries no key.' } };
      case 'result':
        return { ok: { id: request.id, outcome: 'unknown', detail: 'Nothing is known of it.' } };
      case 'action-halt':
        if (this.action?.interruptible) this.action = null;
        return { ok: { action: this.action } };
      case 'action-state':
        return { ok: { action: this.action } };
    }
  }

  async #start({ fence, run }: Extract<BrokerRequest, { do: 'agent-start' }>): Promise<unknown> {
    const lasts = this.agent === 'active' || this.agent === 'activating';
    if (lasts && this.#activation !== undefined) {
      if (this.#activation.fence === fence && this.#activation.run === run) {
        return { ok: { token: this.#activation.token } };
      }
      return { refused: { code: 'unit-failed', message: 'Another activation lasts.' } };
    }
    const token = randomBytes(24).toString('base64url');
    await this.#process.start(token);
    this.#activation = { fence, run, token };
    this.agent = this.becomes;
    return { ok: { token } };
  }
}
