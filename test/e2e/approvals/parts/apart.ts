import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { answersOk } from '../../../../src/sandbox/answers-ok.ts';
import type { ApprovalKeys } from '../../../../src/sandbox/approval-keys.ts';
import { type ChildProcess, startChild } from '../../../../src/sandbox/child-process.ts';
import { freePort } from '../../../../src/sandbox/free-port.ts';
import { Person } from '../../../../src/sandbox/person.ts';
import { workspace } from '../../../../src/sandbox/workspace.ts';
import { Centre, type CentreParts } from '../../parts/centre.ts';
import { eventually } from '../../parts/eventually.ts';

/** The processes of a fleetbot in production, in the order in which they are started here. */
export const roles = ['signer', 'worker', 'bot'] as const;
export type Role = (typeof roles)[number];

const main = join(import.meta.dirname, '../../../../src/main.ts');
const readyTimeoutMs = 60_000;

/** fleetbot with each role in a process of its own, which has that role's keys and no others. */
export class ApartCentre extends Centre {
  readonly #parts: CentreParts;
  readonly #keys: ApprovalKeys;
  readonly #processes = new Map<Role, ChildProcess>();
  readonly #readyPages = new Map<Role, string>();

  constructor(parts: CentreParts, keys: ApprovalKeys) {
    super(parts);
    this.#parts = parts;
    this.#keys = keys;
  }

  /** Somebody writes a message into the channel. */
  async sayAs(userId: string, text: string): Promise<void> {
    await new Person(this.slackUrl, userId).say(workspace.channel.id, text);
  }

  override async startFleetbot(): Promise<void> {
    await Promise.all(roles.map((role) => this.start(role)));
  }

  override async stopFleetbot(): Promise<void> {
    await Promise.all(roles.map((role) => this.stop(role)));
  }

  override async killFleetbot(): Promise<void> {
    await Promise.all(roles.map((role) => this.kill(role)));
  }

  override fleetbotLog(): string {
    return roles.map((role) => readFileSync(this.#logFile(role), 'utf8')).join('');
  }

  async start(role: Role): Promise<void> {
    const port = await freePort();
    const readyPage = `http://127.0.0.1:${port}/readyz`;
    const child = await startChild({
      name: role,
      argv: [process.execPath, main, 'start'],
      env: { PATH: process.env.PATH, ...this.#shared(role, port), ...this.#secretsOf(role) },
      cwd: join(this.#parts.folder, 'fleetbot'),
      logFile: this.#logFile(role),
      readyTimeoutMs,
      ready: () => answersOk(readyPage),
    });
    this.#processes.set(role, child);
    this.#readyPages.set(role, readyPage);
  }

  /** Resolves once every role that runs says that it is ready. */
  async ready(): Promise<void> {
    for (const role of this.#processes.keys())
      await eventually(async () => expect(await answersOk(this.#readyPages.get(role) ?? '')).toBe(true));
  }

  /** SIGTERM, and its end. */
  async stop(role: Role): Promise<void> {
    this.thaw(role);
    await this.#processes.get(role)?.stop();
    this.#processes.delete(role);
  }

  /** SIGKILL, and its end. */
  async kill(role: Role): Promise<void> {
    const child = this.#processes.get(role);
    if (!child) return;
    process.kill(child.pid, 'SIGKILL');
    await child.ended;
    this.#processes.delete(role);
  }

  /** It does nothing until it thaws; its connections stay open. */
  freeze(role: Role): void {
    this.#signal(role, 'SIGSTOP');
  }

  thaw(role: Role): void {
    this.#signal(role, 'SIGCONT');
  }

  #signal(role: Role, signal: NodeJS.Signals): void {
    const child = this.#processes.get(role);
    if (child) process.kill(child.pid, signal);
  }

  #logFile(role: Role): string {
    const file = join(this.#parts.folder, `fleetbot/${role}.log`);
    appendFileSync(file, '');
    return file;
  }

  #shared(role: Role, port: number): NodeJS.ProcessEnv {
    const { fleetFile, redis, mlflowUrl } = this.#parts;
    return {
      FLEETBOT_ROLE: role,
      FLEETBOT_FLEET_FILE: fleetFile,
      FLEETBOT_HEALTH_PORT: String(port),
      REDIS_URL: redis.url,
      ...(mlflowUrl !== undefined && { MLFLOW_TRACKING_URI: mlflowUrl, MLFLOW_EXPERIMENT_ID: '0' }),
    };
  }

  #secretsOf(role: Role): NodeJS.ProcessEnv {
    switch (role) {
      case 'bot':
        return {
          FLEETBOT_DECISION_KEY_FILE: this.#keys.decision,
          FLEETBOT_SLACK_MODE: 'socket',
          SLACK_BOT_TOKEN: workspace.botToken,
          SLACK_APP_TOKEN: workspace.appToken,
          SLACK_API_URL: this.#parts.slack.apiUrl,
        };
      case 'worker':
        return { FLEETBOT_SSH_KEY_FILE: this.#parts.keyFile };
      case 'signer':
        return {
          FLEETBOT_CAPSULE_KEY_FILE: this.#keys.capsule,
          FLEETBOT_DECISION_PUBLIC_KEYS: readFileSync(`${this.#keys.decision}.pub`, 'utf8'),
        };
    }
  }
}
