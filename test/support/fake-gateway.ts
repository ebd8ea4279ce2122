import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { OpenSocket } from '../../src/edge-client/task-transport.ts';

export const requestSchema = z.object({
  id: z.string(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
  traceparent: z.string().optional(),
});
export type GatewayRequest = z.infer<typeof requestSchema>;

/** A gateway for what a good one never does: the test answers each frame and each HTTP request itself. */
export interface FakeGateway {
  readonly requests: readonly GatewayRequest[];
  readonly open: OpenSocket;
  close(): Promise<void>;
}

export async function startFakeGateway(options: {
  onRequest?: (request: GatewayRequest, socket: WebSocket) => void;
  onHttp?: RequestListener;
}): Promise<FakeGateway> {
  const requests: GatewayRequest[] = [];
  const http = createServer(options.onHttp).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const webSockets = new WebSocketServer({ server: http });
  webSockets.on('connection', (socket) => {
    socket.send('{"type":"event","event":"connect.challenge","payload":{"nonce":"n","ts":1}}');
    socket.on('message', (data) => {
      const request = requestSchema.parse(JSON.parse(String(data)));
      requests.push(request);
      if (request.method === 'connect') respond(socket, request, { type: 'hello-ok', protocol: 4 });
      else options.onRequest?.(request, socket);
    });
  });
  const address = http.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    requests,
    open: async () => connect({ host: '127.0.0.1', port, noDelay: true }).on('error', () => {}),
    async close() {
      for (const socket of webSockets.clients) socket.terminate();
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}

export function respond(socket: WebSocket, { id }: GatewayRequest, payload: unknown): void {
  socket.send(JSON.stringify({ type: 'res', id, ok: true, payload }));
}

/** Sends an event of any kind. */
export function emitEvent(socket: WebSocket, event: string, payload: unknown): void {
  socket.send(JSON.stringify({ type: 'event', event, payload }));
}

/** Sends an event of a run. */
export function emit(socket: WebSocket, runId: unknown, stream: string, data: unknown): void {
  emitEvent(socket, 'agent', { runId, stream, data });
}
