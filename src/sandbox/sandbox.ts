import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type AlertWebhook, newAlertWebhook } from './alert-webhook.ts';
import { newApprovalKeys } from './approval-keys.ts';
import { startFleetbot } from './fleetbot-process.ts';
import { freePort } from './free-port.ts';
import { keepRunning } from './keep-running.ts';
import { newKeyPair } from './key-pair.ts';
import { newLedgerFiles } from './ledger-files.ts';
import { startLocalSlack } from './local-slack.ts';
import { mlflowIsInstalled, startMlflow } from './mlflow-server.ts';
import { newSandboxApplication, type SandboxApplication } from './sandbox-application.ts';
import { sandboxFleetFile } from './sandbox-fleet.ts';
import { newSandboxFolder } from './sandbox-folder.ts';
import { startSandboxMachine } from './sandbox-machine.ts';
import { openRedis } from './sandbox-redis.ts';
import { tellFleetFile } from './tell-fleet-file.ts';
import { sandboxMachineName, workspace } from './workspace.ts';

export interface SandboxOptions {
  /** The port of the workspace's page; 0 for any free one. */
  readonly port: number;
  /** Told what is being started or installed, and later what happens to it, a line each. */
  readonly tell: (line: string) => void;
  /** A running server to use, with keys of its own; where absent, one is started. */
  readonly redisUrl?: string | undefined;
  /** Starts the agent on the machine, instead of the sandbox agent. For tests. */
  readonly agentCommand?: readonly string[];
  /** Start MLflow where it is installed. */
  readonly mlflow: boolean;
}

/** A whole fleetbot on this computer, with all that it needs. */
export interface Sandbox extends AsyncDisposable {
  /** The workspace's page. */
  readonly slackUrl: string;
  readonly redisUrl: string;
  /** Undefined where MLflow is not installed or not wanted. */
  readonly mlflowUrl: string | undefined;
  /** Everything of it on disk: logs, fleet file, keys. Removed with it. */
  readonly folder: string;
  readonly fleetFile: string;
  /** Where it takes alerts. */
  readonly alerts: AlertWebhook;
  /** What can be changed on its machine. */
  readonly application: SandboxApplication;
  /** Rejects when fleetbot died too often to be started again. Never resolves. */
  readonly failed: Promise<never>;
  /** The process of the machine's agent, while one runs. */
  agentPid(): number | undefined;
  /** Stops every part, in the order in which nothing is left open, and removes the folder. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts everything. What was started is stopped again when a later part fails. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { tell } = options;
  await using parts = new AsyncDisposableStack();
  const folder = newSandboxFolder(tmpdir());
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const subfolder = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path, { mode: 0o700 });
    return path;
  };
  const slackPort = await freePort(options.port);

  const redis = await openRedis({
    url: options.redisUrl,
    prefix: `{${basename(folder)}}`,
    folder: subfolder('redis'),
    tell,
  });
  parts.defer(() => redis.close());

  const key = newKeyPair();
  const keyFile = join(folder, 'id_ed25519');
  writeFileSync(keyFile, key.privateKey, { mode: 0o600 });

  const approvalKeys = await newApprovalKeys(subfolder('keys'));

  tell(`starting the machine ${sandboxMachineName} (this computer) …`);
  const fleetFile = join(folder, 'fleet.yaml');
  const machine = await startSandboxMachine({
    name: sandboxMachineName,
    folder: subfolder('machine'),
    fleetFile,
    authorizedKey: key.publicKey,
    signersFile: approvalKeys.signers,
    ...(options.agentCommand && { agentCommand: options.agentCommand }),
  });
  parts.defer(() => machine.close());
  const application = newSandboxApplication(subfolder('application'));
  writeFileSync(fleetFile, sandboxFleetFile(machine, application));
  machine.renewPolicy();

  tell('starting local-slack …');
  const slack = await startLocalSlack(slackPort, subfolder('slack'));
  parts.defer(() => slack.child.stop());

  const mlflow = await startMlflowIfThere(options, subfolder);
  if (mlflow) parts.defer(() => mlflow.child.stop());

  const alerts = await newAlertWebhook(folder, `${slack.url}/archives/${workspace.channel.id}`);
  tell('starting fleetbot …');
  const fleetbotOptions = {
    fleetFile,
    keyFile,
    ledger: newLedgerFiles(subfolder('ledger')),
    approvalKeys,
    alerts,
    slackApiUrl: slack.apiUrl,
    redisUrl: redis.url,
    redisPrefix: redis.prefix,
    mlflowUrl: mlflow?.url,
    healthPort: await freePort(),
    folder: subfolder('fleetbot'),
  };
  const fleetbot = await keepRunning({
    name: 'fleetbot',
    start: () => startFleetbot(fleetbotOptions),
    tell,
    clock: Date.now,
  });
  parts.defer(() => fleetbot.stop());
  parts.use(await tellFleetFile(fleetFile, tell));

  const started = parts.move();
  return {
    slackUrl: slack.url,
    redisUrl: redis.url,
    mlflowUrl: mlflow?.url,
    folder,
    fleetFile,
    alerts,
    application,
    failed: fleetbot.failed,
    agentPid: () => machine.agentPid(),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function startMlflowIfThere(options: SandboxOptions, subfolder: (name: string) => string) {
  if (!options.mlflow || !mlflowIsInstalled()) return undefined;
  options.tell('starting MLflow …');
  return startMlflow(await freePort(), subfolder('mlflow'));
}
