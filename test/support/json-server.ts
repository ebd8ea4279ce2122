import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';

/** What was asked of a server. */
export interface Asked {
  /** Method and path, as in `GET /version`. */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined where there was no body. */
  readonly body: unknown;
}

/** What it answers: an object becomes JSON. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface JsonServer extends AsyncDisposable {
  /** Base address. */
  readonly url: string;
  /** Everything that was asked so far. */
  readonly asked: readonly Asked[];
}

/** Starts an HTTP server on loopback that answers what it is told to; with undefined, never. */
export async function startJsonServer(answerTo: (asked: Asked) => Answer | undefined): Promise<JsonServer> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const text = (await request.toArray()).join('');
    const question = {
      line: `${request.method} ${request.url}`,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    asked.push(question);
    const answer = answerTo(question);
    if (!answer) return;
    const { status, body = '', headers } = answer;
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
