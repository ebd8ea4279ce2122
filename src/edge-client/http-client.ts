import type { Socket } from 'node:net';
import { Client } from 'undici';

/**
 * The origin of every gateway: it listens on its machine's loopback, and the socket leads there. The port is
 * the gate's business and stands in no header that a gateway looks at.
 */
export const gatewayHost = '127.0.0.1';

/** The largest WebSocket message that is taken in. OpenClaw's own are far below, even with a tool's output. */
const messageMaxBytes = 4 * 1024 * 1024;

/**
 * An undici client that speaks over this one socket, without timeouts of its own: the caller's signal counts. Why
 * the socket went, where it did, is in `socket.errored`.
 */
export function httpOver(socket: Socket): Client {
  return new Client(`http://${gatewayHost}`, {
    // Not at once: undici would lose its place. And not a dead socket: it would ask for another one, for ever.
    connect: (_options, callback) => {
      queueMicrotask(() => {
        if (socket.destroyed) callback(socket.errored ?? new Error('the connection was closed'), null);
        else callback(null, socket);
      });
    },
    headersTimeout: 0,
    bodyTimeout: 0,
    webSocket: { maxPayloadSize: messageMaxBytes },
  });
}
