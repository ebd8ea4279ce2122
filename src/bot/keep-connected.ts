import { setTimeout as delay } from 'node:timers/promises';
import type { SocketModeReceiver } from '@slack/bolt';
import type { Logger } from 'pino';

type SocketModeClient = SocketModeReceiver['client'];

/** How long to wait after a reconnect that Slack's library has given up. */
export const reconnectDelayMs = 30_000;

/**
 * Keeps a Socket Mode client trying. The library reconnects by calling the client's own `start` and drops the
 * promise, so a rejection there (a revoked token, a proxy's error page) would end the process, and with it the
 * workers that share it. From the first connection on, `start` logs, waits and tries again instead. The first
 * one still rejects, because a wrong token should be seen at once.
 */
export function keepConnected(
  client: SocketModeClient,
  log: Logger,
  delayMs: number = reconnectDelayMs,
): { connected: () => boolean; release: () => void } {
  const connect = client.start.bind(client);
  let connected = false;
  let released = false;
  client.once('connected', () => {
    client.start = async () => {
      for (;;) {
        try {
          return await connect();
        } catch (error) {
          if (released) return { ok: false };
          log.error({ err: error, delayMs }, 'Slack cannot be reached; commands do not arrive');
          await delay(delayMs, undefined, { ref: false });
          if (released) return { ok: false };
        }
      }
    };
  });
  client.on('connected', () => {
    connected = true;
    log.info('connected to Slack over Socket Mode');
  });
  client.on('close', () => {
    connected = false;
  });
  return {
    connected: () => connected,
    release: () => {
      released = true;
    },
  };
}
