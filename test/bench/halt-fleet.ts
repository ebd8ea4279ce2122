/** A process of the benchmark: simulated machines, a tenth of which take connections and never say a word. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { z } from 'zod';
import { startSimulatedFleet } from '../support/simulated-fleet/start-simulated-fleet.ts';

const silentOneIn = 10;

process.on('disconnect', () => process.exit(0));
const [message] = await once(process, 'message');
const { count } = z.object({ count: z.int() }).parse(message);

/** The port of a server that takes connections and never says a word. */
async function silentPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return z.object({ port: z.int() }).parse(server.address()).port;
}

const fleet = await startSimulatedFleet({ count });
const entries = fleet.entries.map(async (entry, index) => {
  const reachable = index % silentOneIn !== 0;
  return { ...entry, ssh: reachable ? entry.ssh : { port: await silentPort() }, reachable };
});
process.send?.(await Promise.all(entries));
