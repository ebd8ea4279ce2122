import { createServer } from 'node:net';
import { SandboxError } from './child-process.ts';

/** A port on loopback that nothing listens on at this moment; `wanted` itself where given. */
export function freePort(wanted = 0): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', (error) =>
    reject(
      new SandboxError(`Port ${wanted} is taken. Stop what uses it, or choose another with --port.`, {
        cause: error,
      }),
    ),
  );
  server.listen(wanted, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address ? address.port : wanted));
  });
  return promise;
}
