import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

const spansPath = '/v1/traces';

/** What stands before MLflow, as a company's gateway does, and may refuse spans. */
export interface Door extends AsyncDisposable {
  readonly url: string;
  /** With this status it answers to whoever sends spans; undefined: they are let through. */
  refusal: number | undefined;
}

/** Opens it before a server on loopback, which need not be there yet. */
export async function openDoor(port: number): Promise<Door> {
  const server = createServer((incoming, response) => {
    if (door.refusal === undefined || incoming.url !== spansPath) return hand(incoming, response, port);
    incoming.resume();
    response.writeHead(door.refusal, { 'content-type': 'application/json' });
    // As MLflow says it where the span itself is wrong: at 422 nothing else is sure.
    response.end('{"detail":"Cannot convert OpenTelemetry span to MLflow span"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  const door: Door = {
    url: `http://127.0.0.1:${address.port}`,
    refusal: undefined,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return door;
}

/** Where nobody answers, the connection ends, as it does without a door. */
function hand(incoming: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url: path, headers } = incoming;
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.once('error', () => response.destroy());
  incoming.pipe(outgoing);
}
