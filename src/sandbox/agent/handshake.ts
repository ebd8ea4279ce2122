import { randomUUID } from 'node:crypto';
import { maxPayloadBytes, protocol, tickIntervalMs, version } from './gateway-facts.ts';
import {
  type ConnectParams,
  connectParamsSchema,
  type FrameError,
  firstProblem,
  invalid,
  type RequestFrame,
} from './gateway-frames.ts';
import { sameText } from './same-text.ts';

/** WebSocket close codes with which the gateway ends a connection that it does not accept. */
const closeProtocol = 1002;
const closePolicy = 1008;

/** What a client that may stay gets, or why it may not and with which code the connection is closed. */
export type Handshake =
  | { readonly client: ConnectParams; readonly hello: object }
  | { readonly client?: never; readonly error: FrameError; readonly closeCode: number };

/** Judges a connection's first request, with the answers captured from OpenClaw 2026.9.6. */
export function shakeHands({ method, params }: RequestFrame, token: string): Handshake {
  if (method !== 'connect') return refuse(invalid('invalid handshake: first request must be connect'));
  const { data: client, error } = connectParamsSchema.safeParse(params);
  if (error) return refuse(invalid(`invalid connect params: ${firstProblem(error)}`));
  if (client.minProtocol > protocol || client.maxProtocol < protocol) {
    const details = { code: 'PROTOCOL_MISMATCH', expectedProtocol: protocol };
    return refuse({ ...invalid('protocol mismatch'), details }, closeProtocol);
  }
  if (client.auth === undefined) {
    const details = { code: 'DEVICE_IDENTITY_REQUIRED' };
    return refuse({ code: 'NOT_PAIRED', message: 'device identity required', details });
  }
  if (!sameText(client.auth.token, token)) {
    const details = { code: 'AUTH_TOKEN_MISMATCH', authReason: 'token_mismatch' };
    return refuse({
      ...invalid('unauthorized: gateway token mismatch (provide gateway auth token)'),
      details,
    });
  }
  return {
    client,
    hello: {
      type: 'hello-ok',
      protocol,
      server: { version, connId: randomUUID() },
      features: {
        methods: ['agent', 'agent.wait', 'sessions.abort'],
        events: ['connect.challenge', 'agent', 'chat', 'tick'],
        capabilities: [],
      },
      auth: { method: 'token', role: client.role, scopes: client.scopes },
      policy: { maxPayload: maxPayloadBytes, tickIntervalMs },
    },
  };
}

function refuse(error: FrameError, closeCode = closePolicy): Handshake {
  return { error, closeCode };
}
