import type { AddressInfo } from 'node:net';
import { App, HTTPReceiver, SocketModeReceiver } from '@slack/bolt';
import type { Logger } from 'pino';
import { SettingsError } from '../fleet/errors.ts';
import { boltLogger } from './bolt-logger.ts';
import { explainToPerson } from './explain-to-person.ts';
import { healthRoutes } from './health-routes.ts';
import { keepConnected } from './keep-connected.ts';
import { refusedToken } from './refused-token.ts';
import { patientTimeoutMs } from './slack-clients.ts';
import { tellPerson } from './tell-person.ts';
import { WorkInFlight } from './work-in-flight.ts';

/** How Slack reaches us: over a WebSocket that we open, or by signed HTTP requests. */
export type Connection =
  | { readonly mode: 'socket'; readonly appToken: string }
  | { readonly mode: 'http'; readonly signingSecret: string; readonly port: number; readonly host: string };

/** How long `stop` waits for commands and clicks that are being served. */
export const drainLimitMs = 10_000;

/** Bolt's App with the life cycle that it lacks. Register listeners on `app` before `start`. */
export interface SlackApp {
  readonly app: App;
  /** Resolves when Slack's requests can arrive. */
  start(): Promise<void>;
  /** Takes nothing more, after everything that had arrived is served or `drainLimitMs` are over. */
  stop(): Promise<void>;
  /** Whether Slack's requests can arrive at this moment. */
  ready(): boolean;
  /** The port of HTTP mode once started; undefined in Socket Mode. */
  port(): number | undefined;
}

/**
 * @param options.slackApiUrl another server than Slack's, ending in `/api/`
 */
export function createApp(options: {
  connection: Connection;
  botToken: string;
  slackApiUrl: string | undefined;
  log: Logger;
}): SlackApp {
  const { connection, botToken, log } = options;
  const work = new WorkInFlight();
  const receiving =
    connection.mode === 'socket' ? socketReceiver(connection, options) : httpReceiver(connection, log);
  const app = new App({
    receiver: receiving.receiver,
    // Not `token`: with it Bolt asks Slack who we are before it serves, and holds up every acknowledgement.
    authorize: () => Promise.resolve({ botToken }),
    logger: boltLogger(log),
    convoStore: false,
    extendedErrorHandler: true,
  });
  app.use(({ next }) => work.track(next()));
  const onError: Parameters<App['error']>[0] = async ({ error, body }) => {
    const view = explainToPerson(error, log);
    const responseUrl = 'response_url' in body ? body.response_url : undefined;
    if (typeof responseUrl === 'string') await tellPerson(responseUrl, view, log);
  };
  app.error(onError);

  return {
    app,
    start: () => receiving.start(),
    ready: () => receiving.ready(),
    port: () => receiving.port(),
    async stop() {
      // Before the connection goes, because what is being served is acknowledged over it.
      const drained = await work.drain(drainLimitMs);
      if (!drained) log.warn({ drainLimitMs }, 'commands or clicks are still being served: stopping anyway');
      await receiving.stop();
      await work.drain(drainLimitMs);
    },
  };
}

/** What differs between the two modes. */
interface Receiving {
  readonly receiver: HTTPReceiver | SocketModeReceiver;
  start(): Promise<void>;
  stop(): Promise<void>;
  ready(): boolean;
  port(): number | undefined;
}

function socketReceiver(
  { appToken }: { readonly appToken: string },
  { slackApiUrl, log }: { slackApiUrl: string | undefined; log: Logger },
): Receiving {
  const receiver = new SocketModeReceiver({
    appToken,
    logger: boltLogger(log),
    // The receiver does not see the App's client options. Its retries stay at their default, which lets a
    // reconnect outlast an outage; a lower number ends the process.
    installerOptions: {
      clientOptions: { timeout: patientTimeoutMs, ...(slackApiUrl === undefined ? {} : { slackApiUrl }) },
    },
  });
  const kept = keepConnected(receiver.client, log);
  return {
    receiver,
    async start() {
      try {
        await receiver.start();
      } catch (error) {
        throw refusedToken(error, 'app-level token (xapp-…, with connections:write)');
      }
    },
    async stop() {
      kept.release();
      await receiver.stop();
    },
    ready: kept.connected,
    port: () => undefined,
  };
}

function httpReceiver(
  { signingSecret, port, host }: { signingSecret: string; port: number; host: string },
  log: Logger,
): Receiving {
  let address: AddressInfo | undefined;
  const ready = () => address !== undefined;
  const receiver = new HTTPReceiver({
    signingSecret,
    logger: boltLogger(log),
    customRoutes: healthRoutes(ready),
  });
  return {
    receiver,
    async start() {
      try {
        const bound = (await receiver.start({ port, host })).address();
        if (bound !== null && typeof bound === 'object') address = bound;
      } catch (error) {
        throw new SettingsError(
          `Cannot listen for Slack on ${host}:${port}. Free the port or choose another: ${error}`,
          { cause: error },
        );
      }
    },
    async stop() {
      if (address === undefined) return;
      address = undefined;
      await receiver.stop();
    },
    ready,
    port: () => address?.port,
  };
}
