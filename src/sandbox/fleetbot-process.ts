import { join } from 'node:path';
import { answersOk } from './answers-ok.ts';
import { type ChildProcess, startChild } from './child-process.ts';
import { workspace } from './workspace.ts';

const readyTimeoutMs = 30_000;

/** What a fleetbot in the sandbox needs to be told. */
export interface FleetbotOptions {
  readonly fleetFile: string;
  /** File with the private SSH key that the machines let in. */
  readonly keyFile: string;
  /** Where the ledger is exported to, and the file with the private key that signs it. Undefined: nowhere. */
  readonly ledger?: { readonly file: string; readonly keyFile: string } | undefined;
  /** Files with the keys of bot and signer. Undefined: no action can be approved. */
  readonly approvalKeys?: { readonly decision: string; readonly capsule: string } | undefined;
  /** Where it takes alerts on loopback, and who is believed. Undefined: nowhere. */
  readonly alerts?: { readonly port: number; readonly token: string } | undefined;
  /** File that names pagers. Undefined: there are none. */
  readonly pagersFile?: string | undefined;
  readonly slackApiUrl: string;
  readonly redisUrl: string;
  /** Given on somebody else's server, to keep apart from what else is there. */
  readonly redisPrefix?: string | undefined;
  /** Undefined: runs are not traced. */
  readonly mlflowUrl?: string | undefined;
  readonly healthPort: number;
  /** Where it runs, and where its log is written. */
  readonly folder: string;
}

/**
 * Starts fleetbot itself as `npm start` does: the production path with settings for the sandbox. Ready when
 * its own health page says so: Slack connected, Redis answering, fleet file loaded.
 * @throws SandboxError with what it printed, when it does not start
 */
export function startFleetbot(options: FleetbotOptions): Promise<ChildProcess> {
  const { folder, healthPort, mlflowUrl, redisPrefix, ledger, approvalKeys, alerts, pagersFile } = options;
  return startChild({
    name: 'fleetbot',
    argv: [process.execPath, join(import.meta.dirname, '../main.ts'), 'start'],
    // Nothing of the person's own: a real workspace or MLflow may be set there.
    env: {
      PATH: process.env.PATH,
      FLEETBOT_ROLE: 'all',
      FLEETBOT_FLEET_FILE: options.fleetFile,
      FLEETBOT_SSH_KEY_FILE: options.keyFile,
      FLEETBOT_SLACK_MODE: 'socket',
      FLEETBOT_HEALTH_PORT: String(healthPort),
      SLACK_BOT_TOKEN: workspace.botToken,
      SLACK_APP_TOKEN: workspace.appToken,
      SLACK_API_URL: options.slackApiUrl,
      REDIS_URL: options.redisUrl,
      // Somebody else's server keeps what it keeps: nothing in a sandbox is to be kept.
      ...(redisPrefix !== undefined && {
        FLEETBOT_REDIS_PREFIX: redisPrefix,
        FLEETBOT_REDIS_ALLOW_UNSAFE: 'true',
      }),
      ...(ledger && { FLEETBOT_LEDGER_FILE: ledger.file, FLEETBOT_LEDGER_KEY_FILE: ledger.keyFile }),
      ...(approvalKeys && {
        FLEETBOT_DECISION_KEY_FILE: approvalKeys.decision,
        FLEETBOT_CAPSULE_KEY_FILE: approvalKeys.capsule,
      }),
      ...(alerts && {
        FLEETBOT_ALERTS_HOST: '127.0.0.1',
        FLEETBOT_ALERTS_PORT: String(alerts.port),
        FLEETBOT_ALERTS_TOKEN: alerts.token,
      }),
      ...(pagersFile !== undefined && { FLEETBOT_PAGERS_FILE: pagersFile }),
      ...(mlflowUrl !== undefined && {
        MLFLOW_TRACKING_URI: mlflowUrl,
        MLFLOW_EXPERIMENT_ID: '0',
        FLEETBOT_SPANS_FOLDER: join(folder, 'spans'),
      }),
    },
    cwd: folder,
    logFile: join(folder, 'fleetbot.log'),
    readyTimeoutMs,
    ready: () => answersOk(`http://127.0.0.1:${healthPort}/readyz`),
  });
}
