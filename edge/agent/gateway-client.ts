/** What the gateway sends: events, and responses to requests (OpenClaw's protocol, version 4). */
interface Frame {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly ok?: unknown;
  readonly event?: unknown;
  readonly payload?: unknown;
  readonly error?: unknown;
}

/** One WebSocket to the gateway on loopback, which lives no longer than `timeoutMs`. Needs no packages. */
export class GatewayClient {
  readonly #socket: WebSocket;
  readonly #token: string;
  readonly #pending = new Map<string, PromiseWithResolvers<unknown>>();
  readonly #challenge = Promise.withResolvers<void>();
  readonly #timeout: NodeJS.Timeout;
  #lastId = 0;

  constructor({ port, token, timeoutMs }: { port: number; token: string; timeoutMs: number }) {
    this.#token = token;
    // It is awaited in `connect`, which may never be called.
    this.#challenge.promise.catch(() => {});
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}`);
    this.#socket.addEventListener('message', ({ data }) => this.#receive(String(data)));
    this.#socket.addEventListener('error', () => this.#fail('the gateway cannot be reached'));
    this.#socket.addEventListener('close', () => this.#fail('the gateway closed the connection'));
    this.#timeout = setTimeout(
      () => this.#fail(`the gateway did not answer within ${timeoutMs} ms`),
      timeoutMs,
    );
  }

  /** Introduces us as an operator that may do everything. @throws Error when the gateway does not take us */
  async connect(): Promise<void> {
    await this.#challenge.promise;
    await this.request('connect', {
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: 'gateway-client', version: '1.0.0', platform: 'linux', mode: 'backend' },
      role: 'operator',
      // Only an administrator may abort what another connection started.
      scopes: ['operator.admin'],
      caps: [],
      auth: { token: this.#token },
    });
  }

  /** Resolves with the response's payload. @throws Error when the gateway refuses, or the connection ends */
  async request(method: string, params: object): Promise<unknown> {
    const id = String(++this.#lastId);
    const response = Promise.withResolvers<unknown>();
    this.#pending.set(id, response);
    this.#socket.send(JSON.stringify({ type: 'req', id, method, params }));
    return await response.promise;
  }

  close(): void {
    clearTimeout(this.#timeout);
    this.#socket.close();
  }

  #receive(text: string): void {
    const frame = readFrame(text);
    if (frame.event === 'connect.challenge') this.#challenge.resolve();
    if (frame.type !== 'res' || typeof frame.id !== 'string') return;
    const response = this.#pending.get(frame.id);
    this.#pending.delete(frame.id);
    if (frame.ok === true) response?.resolve(frame.payload);
    else response?.reject(new Error(`the gateway refused: ${JSON.stringify(frame.error)}`));
  }

  #fail(reason: string): void {
    const error = new Error(reason);
    this.#challenge.reject(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** What cannot be read is dropped, as the gateway itself does. */
function readFrame(text: string): Frame {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
