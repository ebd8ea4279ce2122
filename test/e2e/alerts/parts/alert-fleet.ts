import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { stringify } from 'yaml';
import type { Run } from '../../../../src/fleet/run.ts';
import { createQueue, type Queue } from '../../../../src/queue/create-queue.ts';
import { answersOk } from '../../../../src/sandbox/answers-ok.ts';
import { type ChildProcess, startChild } from '../../../../src/sandbox/child-process.ts';
import { freePort } from '../../../../src/sandbox/free-port.ts';
import { newKeyPair } from '../../../../src/sandbox/key-pair.ts';
import { type FakeMessage, FakeSlack, fakeBot } from '../../../support/fake-workspace.ts';
import { startTestRedis, type TestRedis } from '../../../support/redis.ts';
import {
  type SimulatedFleet,
  startSimulatedFleet,
} from '../../../support/simulated-fleet/start-simulated-fleet.ts';

const readyTimeoutMs = 60_000;
const signingSecret = 'a-signing-secret-of-a-test';
/** Where alerts are told that came over the webhook. */
export const opsChannel = 'C0OPS';

export interface AlertFleetOptions {
  readonly machines: number;
  /** The section `alerts` of the fleet file. */
  readonly alerts: Readonly<Record<string, unknown>>;
}

type Parts = Pick<AlertFleet, 'slack' | 'redis' | 'queue' | 'machines' | 'folder'>;
type Ports = { readonly http: number; readonly health: number; readonly alerts: number };

/** A fleetbot as a process, in all roles and HTTP mode, with machines in this process and a Slack that holds everything. */
export class AlertFleet implements AsyncDisposable {
  readonly slack: FakeSlack;
  readonly redis: TestRedis;
  readonly queue: Queue;
  readonly machines: SimulatedFleet;
  readonly folder: string;
  readonly token = 'a-token-of-a-test-that-is-long-enough';
  readonly #ports: Ports;
  readonly #stack: AsyncDisposableStack;
  #fleetbot: ChildProcess | undefined;
  #events = 0;

  private constructor(parts: Parts, ports: Ports, stack: AsyncDisposableStack) {
    this.slack = parts.slack;
    this.redis = parts.redis;
    this.queue = parts.queue;
    this.machines = parts.machines;
    this.folder = parts.folder;
    this.#ports = ports;
    this.#stack = stack;
  }

  static async start({ machines: count, alerts }: AlertFleetOptions): Promise<AlertFleet> {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'fleetbot-alerts-'));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const redis = await startTestRedis();
    stack.defer(() => redis.stop());
    const queue = await createQueue({ redisUrl: redis.url, log: pino({ level: 'silent' }) });
    stack.defer(() => queue.close());
    const slack = await FakeSlack.start();
    stack.defer(() => slack.stop());
    const machines = await startSimulatedFleet({ count });
    stack.defer(() => machines.close());
    writeFileSync(join(folder, 'id_ed25519'), newKeyPair().privateKey, { mode: 0o600 });
    const fleet = {
      version: 1,
      defaults: { channel: opsChannel, checks: ['disk'] },
      machines: machines.entries,
      alerts,
      access: [],
    };
    writeFileSync(join(folder, 'fleet.yaml'), stringify(fleet));
    mkdirSync(join(folder, 'alertmanager'));
    const ports = { http: await freePort(), health: await freePort(), alerts: await freePort() };
    const started = new AlertFleet({ slack, redis, queue, machines, folder }, ports, stack.move());
    await started.startFleetbot();
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fleetbot?.stop();
    await this.#stack.disposeAsync();
  }

  get webhookUrl(): string {
    return `http://127.0.0.1:${this.#ports.alerts}/alerts/alertmanager`;
  }

  async startFleetbot(): Promise<void> {
    const { http, health, alerts } = this.#ports;
    this.#fleetbot = await startChild({
      name: 'fleetbot',
      argv: [process.execPath, join(import.meta.dirname, '../../../../src/main.ts'), 'start'],
      env: {
        PATH: process.env.PATH,
        FLEETBOT_ROLE: 'all',
        FLEETBOT_FLEET_FILE: join(this.folder, 'fleet.yaml'),
        FLEETBOT_SSH_KEY_FILE: join(this.folder, 'id_ed25519'),
        FLEETBOT_HEALTH_PORT: String(health),
        FLEETBOT_SLACK_MODE: 'http',
        FLEETBOT_HTTP_PORT: String(http),
        SLACK_SIGNING_SECRET: signingSecret,
        SLACK_BOT_TOKEN: 'xoxb-test',
        SLACK_API_URL: this.slack.apiUrl,
        REDIS_URL: this.redis.url,
        FLEETBOT_ALERTS_HOST: '127.0.0.1',
        FLEETBOT_ALERTS_PORT: String(alerts),
        FLEETBOT_ALERTS_TOKEN: this.token,
      },
      cwd: this.folder,
      logFile: join(this.folder, 'fleetbot.log'),
      readyTimeoutMs,
      ready: () => answersOk(`http://127.0.0.1:${health}/readyz`),
    });
  }

  /** SIGKILL, and its end. */
  async killFleetbot(): Promise<void> {
    if (this.#fleetbot === undefined) return;
    process.kill(this.#fleetbot.pid, 'SIGKILL');
    await this.#fleetbot.ended;
  }

  /** An app posts a message, and Slack tells the bot. @returns its ts, and what tells the same event once more */
  async posts(
    channel: string,
    message: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly ts: string; readonly again: () => Promise<void> }> {
    const { ts } = this.slack.say(channel, 'U0MON', String(message.text ?? ''));
    const again = await this.tells({ type: 'message', ...message, channel, ts });
    return { ts, again };
  }

  /** Slack tells the bot of an event, signed. @returns what tells it once more, as Slack does when it is in doubt */
  async tells(event: Readonly<Record<string, unknown>>): Promise<() => Promise<void>> {
    this.#events += 1;
    const body = JSON.stringify({
      ...{ type: 'event_callback', team_id: fakeBot.team_id, api_app_id: 'A0FLEETBOT' },
      ...{ event_id: `Ev${this.#events}`, event_time: Math.floor(Date.now() / 1_000), event },
    });
    await this.#deliver(body);
    return () => this.#deliver(body);
  }

  async #deliver(body: string): Promise<void> {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signature = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
    const response = await fetch(`http://127.0.0.1:${this.#ports.http}/slack/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${signature}`,
      },
      body,
    });
    if (!response.ok) throw new Error(`the bot answers ${response.status} to an event`);
  }

  /** The runs of a machine, as they are stored. */
  runsOn(machine: string): Promise<readonly Run[]> {
    return this.queue.requests.runs({ machine, limit: 100 });
  }

  /** What the bot says in a channel, or under one of its messages. */
  said(channel: string, root?: string): readonly FakeMessage[] {
    return this.slack.messages.filter(
      (m) => m.channel === channel && m.user === fakeBot.user_id && m.thread_ts === root,
    );
  }

  log(): string {
    return readFileSync(join(this.folder, 'fleetbot.log'), 'utf8');
  }
}

/** The message as people read it, roughly. */
export const textOf = (message: FakeMessage | undefined): string => JSON.stringify(message?.blocks ?? '');

/** The id of the record whose message this is. */
export function recordOf(message: FakeMessage): string | undefined {
  const [, id] = /^\w+:([a-z]-[0-9a-z]+):main$/.exec(message.blocks?.[0]?.block_id ?? '') ?? [];
  return id;
}
