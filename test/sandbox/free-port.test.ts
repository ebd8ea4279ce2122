import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../src/sandbox/free-port.ts';

it('says what to type when the wanted port is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  await expect(freePort(address.port)).rejects.toThrow(
    `Port ${address.port} is taken. Stop what uses it, or choose another: npm run sandbox -- --port N`,
  );
});
