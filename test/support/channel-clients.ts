import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ClientChannel } from 'ssh2';
import { WebSocket } from 'ws';

export interface HttpAnswer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** One HTTP request over a channel of the gate's `connect`. */
export async function httpOver(
  channel: ClientChannel,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body } = options;
  // A Duplex does where a socket is expected: HTTP only reads and writes.
  const ask = request({ path, method, headers, createConnection: () => channel as never });
  ask.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  const [response] = await once(ask, 'response');
  const answer = {
    status: response.statusCode,
    type: response.headers['content-type'],
    body: await text(response),
  };
  channel.end();
  return answer;
}

// biome-ignore lint/suspicious/noExplicitAny: frames are looked into by tests, which say what they expect
export type Frame = Record<string, any>;

/** A WebSocket to the gateway over a channel of the gate's `connect`: keeps every frame that it gets. */
export class GatewaySocket {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  #lastId = 0;

  constructor(channel: ClientChannel) {
    this.socket = new WebSocket('ws://127.0.0.1/', { createConnection: () => channel as never });
    this.socket.on('message', (data) => this.frames.push(JSON.parse(String(data))));
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    // Always followed by a close, which tests wait for.
    this.socket.on('error', () => undefined);
  }

  /** Waits for a frame; those before are skipped but kept. */
  async frame(wanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(wanted);
      if (found) return found;
      await once(this.socket, 'message');
    }
  }

  /** Sends a request and returns its id. */
  send(method: string, params: unknown, more: Frame = {}): string {
    this.#lastId += 1;
    const id = `q${this.#lastId}`;
    this.socket.send(JSON.stringify({ type: 'req', id, method, params, ...more }));
    return id;
  }

  /** The answer to a request; a first answer `accepted` is not the last one. */
  async answer(id: string): Promise<Frame> {
    return await this.frame((f) => f.type === 'res' && f.id === id && f.payload?.status !== 'accepted');
  }

  async ask(method: string, params: unknown): Promise<Frame> {
    return await this.answer(this.send(method, params));
  }

  /** The handshake, with changes to its usual parameters. */
  async connect(token: string, changes: Frame = {}): Promise<Frame> {
    await this.frame((f) => f.event === 'connect.challenge');
    return await this.ask('connect', {
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: 'gateway-client', version: '0.1.0', platform: 'linux', mode: 'backend' },
      role: 'operator',
      scopes: ['operator.read', 'operator.write'],
      caps: ['tool-events'],
      auth: { token },
      ...changes,
    });
  }

  /** Data of the agent events of a run, as `stream` or `stream/phase`, in order. */
  streams(runId: string): string[] {
    return this.frames
      .filter((f) => f.event === 'agent' && f.payload.runId === runId)
      .map((f) => [f.payload.stream, f.payload.data.phase].filter(Boolean).join('/'));
  }
}
