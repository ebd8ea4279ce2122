import type { Socket } from 'node:net';
import { type MessageEvent, WebSocket } from 'undici';
import { gatewayHost, httpOver } from '../http-client.ts';
import { parseJson } from '../parse-json.ts';
import { acceptedSchema, frameSchema, gatewayProtocolVersion, type Response } from './gateway-frames.ts';

/** A request on its way. */
interface Pending {
  resolve(response: Response): void;
  reject(error: Error): void;
}

/**
 * One WebSocket to an OpenClaw gateway: correlates requests with responses and hands on events. Frames that
 * cannot be read are dropped, as the gateway itself does. When the connection ends, every request rejects.
 */
export class GatewayConnection {
  readonly #webSocket: WebSocket;
  readonly #pending = new Map<string, Pending>();
  readonly #challenged = Promise.withResolvers<void>();
  readonly #onEvent: (event: string, payload: unknown) => void;
  #lastId = 0;
  #closed: Error | undefined;

  constructor(socket: Socket, onEvent: (event: string, payload: unknown) => void) {
    this.#onEvent = onEvent;
    // It is awaited in `connect`, which may never be called.
    this.#challenged.promise.catch(() => {});
    this.#webSocket = new WebSocket(`ws://${gatewayHost}`, { dispatcher: httpOver(socket) });
    this.#webSocket.addEventListener('message', (message) => this.#receive(message));
    this.#webSocket.addEventListener('close', ({ code, reason }) => {
      this.#end(new Error(`the gateway closed the connection: ${code} ${reason}`.trim()));
    });
  }

  /** Waits for the gateway's challenge and introduces us. With a token from loopback nothing need be signed. */
  async connect(token: string): Promise<Response> {
    await this.#challenged.promise;
    return await this.request('connect', {
      minProtocol: gatewayProtocolVersion,
      maxProtocol: gatewayProtocolVersion,
      client: { id: 'gateway-client', version: '1', platform: 'linux', mode: 'backend' },
      role: 'operator',
      scopes: ['operator.read', 'operator.write'],
      caps: ['tool-events'],
      auth: { token },
    });
  }

  /** Sends a request and waits for its response; of `agent`, the final one. */
  request(method: string, params: unknown, traceparent?: string): Promise<Response> {
    if (this.#closed) return Promise.reject(this.#closed);
    this.#lastId += 1;
    const id = String(this.#lastId);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#webSocket.send(JSON.stringify({ type: 'req', id, method, params, traceparent }));
    });
  }

  #receive({ data }: MessageEvent): void {
    const frame = frameSchema.safeParse(typeof data === 'string' ? parseJson(data) : undefined);
    if (!frame.success) return;
    if (frame.data.type === 'event') {
      if (frame.data.event === 'connect.challenge') this.#challenged.resolve();
      else this.#onEvent(frame.data.event, frame.data.payload);
      return;
    }
    if (acceptedSchema.safeParse(frame.data.payload).success) return;
    this.#pending.get(frame.data.id)?.resolve(frame.data);
    this.#pending.delete(frame.data.id);
  }

  #end(error: Error): void {
    this.#closed = error;
    this.#challenged.reject(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
