import { connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { Redis } from 'ioredis';

const listenMs = 1_000;

/**
 * What a server tells a connection that says nothing, as an error; undefined when that is nothing. A server
 * that hangs up says why (too many clients, no client certificate), which is lost to who has spoken meanwhile:
 * TCP throws away what is unread when it resets a connection. With sentinels the server is not known here.
 */
export async function overheard(redis: Redis): Promise<Error | undefined> {
  const { host, port, tls, sentinels } = redis.options;
  if (sentinels || host === undefined || port === undefined) return undefined;
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  const socket = tls ? tlsConnect({ host, port, ...tls }) : tcpConnect({ host, port });
  socket.once('data', (words: Buffer) => resolve(new Error(words.toString('latin1').trim())));
  socket.once('error', resolve).once('close', () => resolve(undefined));
  const timer = setTimeout(resolve, listenMs, undefined);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
