import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { z } from 'zod';
import {
  agentId,
  defaultTaskTimeoutMs,
  handshakeTimeoutMs,
  maxPayloadBytes,
  pingIntervalMs,
  tickIntervalMs,
} from './gateway-facts.ts';
import {
  abortParamsSchema,
  agentParamsSchema,
  type ConnectParams,
  type FrameError,
  firstProblem,
  invalid,
  type RequestFrame,
  type Response,
  requestFrameSchema,
  scopedKey,
  waitParamsSchema,
} from './gateway-frames.ts';
import { shakeHands } from './handshake.ts';
import { finalResponse, RunEvents, waitPayload } from './run-frames.ts';
import type { Sessions } from './sessions.ts';

export interface GatewayWsOptions {
  readonly token: string;
  readonly modelName: string;
  readonly sessions: Sessions;
  readonly clock: () => number;
}

const closeNormal = 1000;
const closeReasonMaxBytes = 123;
const ourMethods = ['agent', 'agent.wait', 'sessions.abort'];

/**
 * The WebSocket side of the gateway: protocol 4 as captured from OpenClaw 2026.9.6, methods `agent`,
 * `agent.wait` and `sessions.abort`. Returns a server that is handed upgraded connections.
 */
export function createGatewayWs(options: GatewayWsOptions): WebSocketServer {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxPayloadBytes,
    perMessageDeflate: false,
  });
  const clients = new Set<Client>();
  server.on('connection', (socket) => {
    const client = new Client(socket, options, clients);
    socket.on('message', (data) => client.receive(data));
    socket.on('close', () => clients.delete(client));
    socket.on('error', () => socket.terminate());
  });
  const ticking = setInterval(() => {
    for (const client of clients) client.event('tick', { ts: options.clock() });
  }, tickIntervalMs);
  const pinging = setInterval(() => {
    for (const socket of server.clients) socket.ping();
  }, pingIntervalMs);
  server.once('close', () => {
    clearInterval(ticking);
    clearInterval(pinging);
  });
  return server;
}

/** One connection: a handshake, then requests. */
class Client {
  readonly #socket: WebSocket;
  readonly #options: GatewayWsOptions;
  /** Everyone who is connected and authenticated. */
  readonly #clients: Set<Client>;
  readonly #handshakeTimer: NodeJS.Timeout;
  #connected: ConnectParams | undefined;
  #seq = 0;

  constructor(socket: WebSocket, options: GatewayWsOptions, clients: Set<Client>) {
    this.#socket = socket;
    this.#options = options;
    this.#clients = clients;
    this.#handshakeTimer = setTimeout(() => socket.close(closeNormal), handshakeTimeoutMs);
    socket.once('close', () => clearTimeout(this.#handshakeTimer));
    const payload = { nonce: randomUUID(), ts: options.clock(), capabilities: [] };
    this.#send({ type: 'event', event: 'connect.challenge', payload });
  }

  /** Sends an event, numbered for this connection. */
  event(event: string, payload: object): void {
    this.#seq += 1;
    this.#send({ type: 'event', event, payload, seq: this.#seq });
  }

  async receive(data: RawData): Promise<void> {
    const json = parseJson(String(data));
    if (json === undefined) {
      // Before the handshake this ends the connection; after it, the gateway only logs it.
      if (this.#connected === undefined) this.#socket.close(closeNormal);
      return;
    }
    const { data: frame, error } = requestFrameSchema.safeParse(json);
    if (error) this.#respond('invalid', failure(invalid(`invalid request frame: ${firstProblem(error)}`)));
    else if (this.#connected === undefined) this.#connect(frame);
    else this.#respond(frame.id, await this.#serve(frame, this.#connected.scopes));
  }

  #connect(frame: RequestFrame): void {
    const handshake = shakeHands(frame, this.#options.token);
    if (handshake.client === undefined) {
      this.#respond(frame.id, failure(handshake.error));
      this.#socket.close(handshake.closeCode, closeReason(handshake.error.message));
      return;
    }
    clearTimeout(this.#handshakeTimer);
    this.#connected = handshake.client;
    this.#clients.add(this);
    this.#respond(frame.id, { ok: true, payload: handshake.hello });
  }

  async #serve({ id, method, params }: RequestFrame, scopes: readonly string[]): Promise<Response> {
    const scope = ourMethods.includes(method) ? 'operator.write' : 'operator.admin';
    if (!scopes.includes(scope)) {
      const details = { code: 'MISSING_SCOPE', missingScope: scope, requiredScopes: [scope] };
      return failure({ code: 'FORBIDDEN', message: `missing scope: ${scope}`, details });
    }
    const read = async <T>(schema: z.ZodType<T>, use: (valid: T) => Promise<Response>): Promise<Response> => {
      const { data, error } = schema.safeParse(params);
      return error ? failure(invalid(`invalid ${method} params: ${firstProblem(error)}`)) : use(data);
    };
    switch (method) {
      case 'agent':
        return read(agentParamsSchema, (valid) => this.#agent(id, valid));
      case 'agent.wait':
        return read(waitParamsSchema, (valid) => this.#wait(valid));
      case 'sessions.abort':
        return read(abortParamsSchema, (valid) => this.#abort(valid));
      default:
        return failure(invalid(`unknown method: ${method}`));
    }
  }

  async #agent(id: string, params: z.infer<typeof agentParamsSchema>): Promise<Response> {
    const { sessions, modelName, clock } = this.#options;
    const { message, idempotencyKey: runId, timeout } = params;
    if (params.agentId !== undefined && params.agentId !== agentId) {
      return failure(invalid(`invalid agent params: unknown agent id "${params.agentId}"`));
    }
    const known = sessions.get(runId);
    if (known) {
      const inFlight = { runId, status: 'in_flight', sessionKey: known.sessionKey, agentId };
      return known.done
        ? finalResponse(known, await known.ended, modelName)
        : { ok: true, payload: inFlight };
    }

    const sessionKey = scopedKey(params.sessionKey ?? 'main');
    const accepted = { runId, sessionKey, agentId, status: 'accepted', acceptedAt: clock() };
    this.#respond(id, { ok: true, payload: accepted });
    const events = new RunEvents({ runId, sessionKey }, modelName, clock, (event) => {
      for (const client of this.#clients) {
        if (!event.toolDetail || (client === this && client.#wantsTools))
          client.event(event.event, event.payload);
      }
    });
    events.started();
    const session = sessions.start({
      runId,
      sessionKey,
      task: message,
      timeoutMs: timeout === undefined ? defaultTaskTimeoutMs : timeout * 1000,
      onEvent: (event) => events.happened(event),
    });
    const ended = await session.ended;
    events.ended(session, ended);
    return finalResponse(session, ended, modelName);
  }

  async #wait({ runId, timeoutMs }: z.infer<typeof waitParamsSchema>): Promise<Response> {
    const session = this.#options.sessions.get(runId);
    const tooLate = sleep(timeoutMs, undefined);
    const ended = await (session ? Promise.race([session.ended, tooLate]) : tooLate);
    return {
      ok: true,
      payload: session && ended ? waitPayload(session, ended) : { runId, status: 'timeout' },
    };
  }

  async #abort({ key, runId }: z.infer<typeof abortParamsSchema>): Promise<Response> {
    const session = this.#options.sessions.working(runId, key && scopedKey(key));
    session?.abort();
    const status = session ? 'aborted' : 'no-active-run';
    return { ok: true, payload: { ok: true, abortedRunId: session?.runId ?? null, status } };
  }

  get #wantsTools(): boolean {
    return this.#connected?.caps.includes('tool-events') ?? false;
  }

  #respond(id: string, response: Response): void {
    this.#send({ type: 'res', id, ...response });
  }

  #send(frame: object): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}

/** The close frame has room for 123 bytes (RFC 6455), and the message may quote the client. */
function closeReason(message: string): string {
  return message.replace(/[^ -~]/g, '?').slice(0, closeReasonMaxBytes);
}

function failure(error: FrameError): Response {
  return { ok: false, error };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
