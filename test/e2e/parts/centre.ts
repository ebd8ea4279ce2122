import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { createQueue, type Queue } from '../../../src/queue/create-queue.ts';
import type { ApprovalKeys } from '../../../src/sandbox/approval-keys.ts';
import type { ChildProcess } from '../../../src/sandbox/child-process.ts';
import { startFleetbot } from '../../../src/sandbox/fleetbot-process.ts';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { type SlackPerson, startLocalSlack } from '../../../src/sandbox/local-slack.ts';
import { workspace } from '../../../src/sandbox/workspace.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { Channel } from './channel.ts';

export interface CentreOptions {
  /** For logs and data. */
  readonly folder: string;
  readonly fleetFile: string;
  /** File with the private key that the machines let in. */
  readonly keyFile: string;
  /** Undefined: runs are not traced. */
  readonly mlflowUrl?: string;
  /** Undefined: nothing can be approved. */
  readonly approvalKeys?: ApprovalKeys;
  /** Undefined: there are no pagers. */
  readonly pagersFile?: string;
  /** Where the ledger is exported to, and the key that signs it. Undefined: nowhere. */
  readonly ledger?: { readonly file: string; readonly keyFile: string };
  /** People in the workspace beside those of the sandbox. */
  readonly colleagues?: readonly SlackPerson[];
}

/** What a centre is made of. */
export interface CentreParts extends CentreOptions {
  readonly redis: TestRedis;
  readonly queue: Queue;
  readonly slack: { readonly url: string; readonly apiUrl: string; readonly child: ChildProcess };
  readonly healthPort: number;
}

/**
 * Starts Redis, a workspace and fleetbot.
 * @param stack ends them; what is in it already ends after them. The caller hands it over with `owns`
 */
export async function startCentre<C extends Centre>(
  options: CentreOptions,
  stack: AsyncDisposableStack,
  make: (parts: CentreParts) => C,
): Promise<C> {
  const subfolder = (name: string) => {
    const path = join(options.folder, name);
    mkdirSync(path);
    return path;
  };
  const redis = await startTestRedis();
  stack.defer(() => redis.stop());
  const queue = await createQueue({ redisUrl: redis.url, log: pino({ level: 'silent' }) });
  stack.defer(() => queue.close());
  const slack = await startLocalSlack(await freePort(), subfolder('slack'), options.colleagues);
  stack.defer(() => slack.child.stop());
  subfolder('fleetbot');
  const centre = make({ ...options, redis, queue, slack, healthPort: await freePort() });
  stack.defer(() => centre.stopFleetbot());
  await centre.startFleetbot();
  return centre;
}

/** fleetbot with its Redis and its workspace, all real, each to be broken by a test. */
export class Centre implements AsyncDisposable {
  readonly redis: TestRedis;
  /** For looking into the records. */
  readonly queue: Queue;
  /** What the SRE does and sees. */
  readonly sre: Channel;
  /** What somebody without any access does and sees. */
  readonly visitor: Channel;
  readonly #parts: CentreParts;
  #stack: AsyncDisposableStack | undefined;
  #fleetbot: ChildProcess | undefined;

  constructor(parts: CentreParts) {
    this.#parts = parts;
    this.redis = parts.redis;
    this.queue = parts.queue;
    this.sre = new Channel(parts.slack.url, workspace.sre.id, parts.queue);
    this.visitor = new Channel(parts.slack.url, workspace.visitor.id, parts.queue);
  }

  /** Ends what is in the stack when it ends itself. */
  owns(stack: AsyncDisposableStack): void {
    this.#stack = stack;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thawSlack();
    await this.#stack?.disposeAsync();
  }

  /** The page for people. */
  get slackUrl(): string {
    return this.#parts.slack.url;
  }

  /** Address and port of fleetbot's /healthz, /readyz and /metrics. */
  get health(): string {
    return `127.0.0.1:${this.#parts.healthPort}`;
  }

  /** What `fleetbot … --direct` needs in its environment. */
  get directSettings(): Readonly<Record<string, string>> {
    const { fleetFile, keyFile } = this.#parts;
    return { FLEETBOT_FLEET_FILE: fleetFile, FLEETBOT_SSH_KEY_FILE: keyFile };
  }

  /** What a second fleetbot would need in its environment to be a worker beside the first. */
  get workerSettings(): Readonly<Record<string, string>> {
    return {
      ...this.directSettings,
      FLEETBOT_ROLE: 'worker',
      FLEETBOT_HEALTH_PORT: '0',
      REDIS_URL: this.redis.url,
    };
  }

  async startFleetbot(): Promise<void> {
    const { folder, slack, redis, healthPort, ...rest } = this.#parts;
    const { fleetFile, keyFile, mlflowUrl, approvalKeys, pagersFile, ledger } = rest;
    this.#fleetbot = await startFleetbot({
      ...{
        fleetFile,
        keyFile,
        healthPort,
        mlflowUrl,
        approvalKeys,
        pagersFile,
        ledger,
        folder: join(folder, 'fleetbot'),
      },
      ...{ slackApiUrl: slack.apiUrl, redisUrl: redis.url },
    });
  }

  /** SIGTERM, and its end. */
  async stopFleetbot(): Promise<void> {
    await this.#fleetbot?.stop();
  }

  /** SIGKILL, and its end. */
  async killFleetbot(): Promise<void> {
    if (!this.#fleetbot) return;
    process.kill(this.#fleetbot.pid, 'SIGKILL');
    await this.#fleetbot.ended;
  }

  /** The workspace answers nobody until it thaws; connections to it stay open. */
  freezeSlack(): void {
    process.kill(this.#parts.slack.child.pid, 'SIGSTOP');
  }

  thawSlack(): void {
    process.kill(this.#parts.slack.child.pid, 'SIGCONT');
  }

  /** Replaces the fleet file as an editor does. */
  writeFleet(text: string): void {
    const next = `${this.#parts.fleetFile}.new`;
    writeFileSync(next, text);
    renameSync(next, this.#parts.fleetFile);
  }

  fleetbotLog(): string {
    return readFileSync(join(this.#parts.folder, 'fleetbot/fleetbot.log'), 'utf8');
  }
}
