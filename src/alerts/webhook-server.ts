import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { SettingsError } from '../fleet/errors.ts';
import type { Credentials } from './authenticate.ts';
import type { Intake } from './intake.ts';
import type { AlertsMeter, Clock } from './ports.ts';
import { busy, failed, isRefusal } from './refusal.ts';
import { serveDelivery } from './serve-delivery.ts';

export interface WebhookServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** At least one of the two. */
  readonly credentials: Credentials;
  /** The largest body that is taken. */
  readonly maxBytes: number;
  readonly intake: Intake;
  readonly meter: AlertsMeter;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Takes alerts over HTTP. */
export interface WebhookServer {
  readonly port: number;
  /** Takes nothing more; resolves when what had arrived is answered, or `closeLimitMs` are over. */
  close(): Promise<void>;
}

/** How many deliveries are read and stored at the same time; more are told to come back. */
const concurrentMax = 16;
const connectionsMax = 256;
/** How long a sender may take for its whole request. Nothing of it is stored before it is complete. */
const requestTimeoutMs = 10_000;
const connectionsCheckingInterval = 1_000;
const closeLimitMs = 5_000;
/** A sender that is set up wrongly comes again and again: the log tells each reason once in this time. */
const refusalTellMs = 60_000;

/**
 * Serves `POST /alerts/alertmanager` and `POST /alerts/generic` (see `serve-delivery.ts`): 200 once the alerts are
 * stored, with a JSON body that says how many, and which of them nobody looks into and why. Everything else is answered
 * with a sentence.
 * @throws SettingsError when the address is taken or not of this computer
 */
export async function startWebhookServer(options: WebhookServerOptions): Promise<WebhookServer> {
  const { host, port, meter, log } = options;
  let serving = 0;
  const mayTell = oncePer(refusalTellMs, options.clock);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    serving += 1;
    try {
      const outcome = serving > concurrentMax ? busy : await serveDelivery(request, options);
      // A connection that stays open would hold up the end.
      if (!isRefusal(outcome)) {
        return answer(response, 200, outcome, server.listening ? {} : { connection: 'close' });
      }
      meter.refused(outcome.reason);
      if (mayTell(outcome.reason)) {
        const { status, reason, problem } = outcome;
        log.warn({ status, reason, problem }, 'a delivery of alerts was refused');
      }
      // What is left of the body is not read.
      const headers = { ...outcome.headers, connection: 'close' };
      answer(response, outcome.status, { error: outcome.problem }, headers);
    } catch (error) {
      log.error({ err: error }, 'alerts could not be taken');
      meter.refused(failed.reason);
      answer(response, failed.status, { error: failed.problem });
    } finally {
      serving -= 1;
    }
  }

  const server = createServer(
    { requestTimeout: requestTimeoutMs, connectionsCheckingInterval },
    (request, response) => void serve(request, response),
  );
  server.maxConnections = connectionsMax;
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new SettingsError(
      `The webhook for alerts cannot listen on ${host}:${port} (${error instanceof Error ? error.message : error}). ` +
        'Set FLEETBOT_ALERTS_HOST and FLEETBOT_ALERTS_PORT to a free address of this computer.',
      { cause: error },
    );
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      const limit = setTimeout(() => server.closeAllConnections(), closeLimitMs);
      await closed;
      clearTimeout(limit);
    },
  };
}

function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Says for each key whether it was not told for so long. */
function oncePer(intervalMs: number, clock: Clock): (key: string) => boolean {
  const toldAt = new Map<string, number>();
  return (key) => {
    const now = clock();
    if (now - (toldAt.get(key) ?? Number.NEGATIVE_INFINITY) < intervalMs) return false;
    toldAt.set(key, now);
    return true;
  };
}
