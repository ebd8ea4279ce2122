import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { SettingsError, toFailure } from '../fleet/errors.ts';

/** One thing that must hold before the process can do its work. */
export interface ReadyCheck {
  readonly name: string;
  /** Holds when it answers true; false and an error mean that it does not. */
  readonly ready: () => boolean | Promise<boolean>;
}

/** What `/metrics` answers. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

export interface HealthServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly checks: readonly ReadyCheck[];
  /** Asked at every scrape; has its own time limit. */
  readonly metrics: () => Promise<MetricsPage>;
  /** A check that has not answered by then does not hold. */
  readonly checkTimeoutMs?: number;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const defaultCheckTimeoutMs = 2_000;

/**
 * Serves `/healthz` (200 while the process answers at all) and `/readyz` (200 when every check holds, else
 * 503), both with a JSON body that names the checks; and `/metrics` for Prometheus.
 * @throws SettingsError when the address is taken or not of this computer
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { host, port, checks, metrics, checkTimeoutMs = defaultCheckTimeoutMs } = options;
  const server = createServer((request, response) => {
    if (request.url === '/healthz') answer(response, 200, { status: 'ok' });
    else if (request.url === '/readyz') void answerReady(response, checks, checkTimeoutMs);
    else if (request.url === '/metrics') void answerMetrics(response, metrics);
    else answer(response, 404, { status: 'not found' });
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new SettingsError(
      `The health page cannot listen on ${host}:${port} (${error instanceof Error ? error.message : error}). ` +
        'Set FLEETBOT_HEALTH_HOST and FLEETBOT_HEALTH_PORT to a free address of this computer.',
      { cause: error },
    );
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerReady(
  response: ServerResponse,
  checks: readonly ReadyCheck[],
  timeoutMs: number,
): Promise<void> {
  const results = await Promise.all(
    checks.map(async (check) => [check.name, await holds(check, timeoutMs)] as const),
  );
  const ready = results.every(([, held]) => held);
  answer(response, ready ? 200 : 503, {
    status: ready ? 'ready' : 'not ready',
    checks: Object.fromEntries(results),
  });
}

async function answerMetrics(response: ServerResponse, metrics: () => Promise<MetricsPage>): Promise<void> {
  try {
    const { contentType, body } = await metrics();
    response.writeHead(200, { 'content-type': contentType }).end(body);
  } catch (error) {
    answer(response, 500, { status: 'failed', reason: toFailure(error).message });
  }
}

async function holds(check: ReadyCheck, timeoutMs: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), timeoutMs);
  try {
    return await Promise.race([(async () => check.ready())(), late.promise]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
