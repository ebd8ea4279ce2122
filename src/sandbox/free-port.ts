import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { SandboxError } from './child-process.ts';

/**
 * Below the ports that Linux gives to whoever asks for any (ip_local_port_range, from 32768 on): nobody gets one of
 * these by chance before its server listens.
 */
const firstPort = 20_000;
const lastPort = 32_000;
const attempts = 100;

/**
 * Each process draws from ports of its own, and none twice: a port that was drawn is free until its server listens,
 * and whoever asks meanwhile must not get the same one.
 */
const shares = 16;
const drawn = new Set<number>();

/** A port on loopback that nothing listens on at this moment; `wanted` itself where given. */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0) {
    if (await isFree(wanted)) return wanted;
    throw new SandboxError(
      `Port ${wanted} is taken. Stop what uses it, or choose another: npm run sandbox -- --port N`,
    );
  }
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const port = firstPort + shares * randomInt((lastPort - firstPort) / shares) + (process.pid % shares);
    if (drawn.has(port)) continue;
    drawn.add(port);
    if (await isFree(port)) return port;
  }
  throw new SandboxError(
    `${attempts} ports between ${firstPort} and ${lastPort} were tried, and all are taken.`,
  );
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
