import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** One request as it arrived. */
export interface Paged {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface PagerAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The request is neither answered nor ended. */
export const silence = 'silence';
/** The page is taken, and the connection breaks before the answer. */
export const lostAnswer = 'lost answer';

const bodySchema = z.record(z.string(), z.unknown());

/**
 * A pager on loopback. It answers as PagerDuty's Events API v2 does to a page that it takes, and keeps incidents by
 * `dedup_key`; what it shall answer next in another way is put into `answers`.
 */
export class PagerServer implements AsyncDisposable {
  readonly paged: Paged[] = [];
  readonly answers: (PagerAnswer | typeof silence | typeof lostAnswer)[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = bodySchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
      this.paged.push({ path: request.url ?? '', headers: request.headers, body });
      const taken: PagerAnswer = {
        status: 202,
        body: { status: 'success', message: 'Event processed', dedup_key: body.dedup_key },
      };
      const answer = this.answers.shift() ?? taken;
      if (answer === silence) return;
      if (answer === lostAnswer) {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(JSON.stringify(answer.body ?? {}));
    });
  });

  static async start(): Promise<PagerServer> {
    const pager = new PagerServer();
    await new Promise<void>((resolve) => pager.#server.listen(0, '127.0.0.1', resolve));
    return pager;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** The incidents that it has, whatever was sent twice. */
  get incidents(): readonly unknown[] {
    return [...new Set(this.paged.map(({ body }) => body.dedup_key))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
