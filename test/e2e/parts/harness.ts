import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { stringify } from 'yaml';
import { createQueue, type Queue } from '../../../src/queue/create-queue.ts';
import type { ChildProcess } from '../../../src/sandbox/child-process.ts';
import { startFleetbot } from '../../../src/sandbox/fleetbot-process.ts';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { startLocalSlack } from '../../../src/sandbox/local-slack.ts';
import { workspace } from '../../../src/sandbox/workspace.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { Channel } from './channel.ts';
import { type MachineUnderTest, startMachineUnderTest } from './machine-under-test.ts';

/** A machine of the harness: how its agent behaves, and what its entry in the fleet file says beyond that. */
export interface MachineSpec {
  readonly name: string;
  /** Argument vector of its agent; the sandbox agent by default. */
  readonly agentCommand?: readonly string[];
  readonly runtimeMaxMs?: number;
  readonly entry?: Readonly<Record<string, unknown>>;
}

/** The fleet file as an object, to be changed by a test. */
export interface FleetText {
  readonly machines: readonly Readonly<Record<string, unknown>>[];
  readonly [part: string]: unknown;
}

/** Short, so that what fails fails soon; long enough for two busy processors. */
const limits = {
  connectTimeoutMs: 2_000,
  statusTimeoutMs: 4_000,
  evidenceTimeoutMs: 20_000,
  startTimeoutMs: 6_000,
  readyTimeoutMs: 15_000,
  taskTimeoutMs: 60_000,
  abortTimeoutMs: 1_000,
  stopTimeoutMs: 15_000,
};

/** Starts Redis, a workspace, machines and fleetbot, all real, each to be broken by a test. */
export async function startHarness(machines: readonly MachineSpec[]): Promise<Harness> {
  await using parts = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-e2e-'));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const subfolder = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  const key = newKeyPair();
  const keyFile = join(folder, 'id_ed25519');
  writeFileSync(keyFile, key.privateKey, { mode: 0o600 });
  const fleetFile = join(folder, 'fleet.yaml');

  const started = new Map<string, MachineUnderTest>();
  for (const spec of machines) {
    const machine = await startMachineUnderTest({ ...spec, key, fleetFile, folder: subfolder(spec.name) });
    parts.use(machine);
    started.set(spec.name, machine);
  }
  const fleet: FleetText = {
    version: 1,
    defaults: {
      channel: workspace.channel.id,
      checks: ['disk'],
      limits,
      // Whatever this computer's disks look like, they are ok.
      expect: {
        disk: {
          ...{ warnUsedPercent: 99.9, criticalUsedPercent: 100 },
          ...{ warnInodesPercent: 99.9, criticalInodesPercent: 100 },
        },
      },
    },
    machines: machines.map(({ name, entry }) => ({
      name,
      address: '127.0.0.1',
      ssh: { port: started.get(name)?.link.port },
      hostKey: started.get(name)?.hostKey,
      ...entry,
    })),
    access: [{ people: [workspace.sre.id], machines: 'all', verbs: 'all' }],
  };
  writeFileSync(fleetFile, stringify(fleet));
  for (const machine of started.values()) machine.renewPolicy();

  const redis = await startTestRedis();
  parts.defer(() => redis.stop());
  const queue = await createQueue({ redisUrl: redis.url, log: pino({ level: 'silent' }) });
  parts.defer(() => queue.close());
  const slack = await startLocalSlack(await freePort(), subfolder('slack'));
  parts.defer(() => slack.child.stop());
  const healthPort = await freePort();
  const botFolder = subfolder('fleetbot');
  const start = () =>
    startFleetbot({
      ...{ fleetFile, keyFile, healthPort, folder: botFolder },
      ...{ slackApiUrl: slack.apiUrl, redisUrl: redis.url },
    });
  const harness = new Harness({
    folder,
    fleet,
    fleetFile,
    keyFile,
    redis,
    queue,
    machines: started,
    slack,
    healthPort,
    start,
  });
  parts.defer(() => harness.stopFleetbot());
  await harness.startFleetbot();
  const all = parts.move();
  harness.onDispose(() => all.disposeAsync());
  return harness;
}

interface HarnessParts {
  readonly folder: string;
  readonly fleet: FleetText;
  readonly fleetFile: string;
  readonly keyFile: string;
  readonly redis: TestRedis;
  readonly queue: Queue;
  readonly machines: ReadonlyMap<string, MachineUnderTest>;
  readonly slack: { readonly url: string; readonly child: ChildProcess };
  readonly healthPort: number;
  readonly start: () => Promise<ChildProcess>;
}

/** A running fleetbot with everything around it. */
export class Harness implements AsyncDisposable {
  readonly redis: TestRedis;
  /** For looking into the records. */
  readonly queue: Queue;
  readonly fleet: FleetText;
  /** What the SRE does and sees. */
  readonly sre: Channel;
  /** What somebody without any access does and sees. */
  readonly visitor: Channel;
  readonly #parts: HarnessParts;
  #fleetbot: ChildProcess | undefined;
  #dispose = async () => {};

  constructor(parts: HarnessParts) {
    this.#parts = parts;
    this.redis = parts.redis;
    this.queue = parts.queue;
    this.fleet = parts.fleet;
    this.sre = new Channel(parts.slack.url, workspace.sre.id, parts.queue);
    this.visitor = new Channel(parts.slack.url, workspace.visitor.id, parts.queue);
  }

  onDispose(dispose: () => Promise<void>): void {
    this.#dispose = dispose;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thawSlack();
    await this.#dispose();
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
    const { fleetFile, keyFile, redis } = this.#parts;
    return {
      FLEETBOT_ROLE: 'worker',
      FLEETBOT_FLEET_FILE: fleetFile,
      FLEETBOT_SSH_KEY_FILE: keyFile,
      FLEETBOT_HEALTH_PORT: '0',
      REDIS_URL: redis.url,
    };
  }

  machine(name: string): MachineUnderTest {
    const machine = this.#parts.machines.get(name);
    if (!machine) throw new RangeError(`the harness has no machine ${name}`);
    return machine;
  }

  async startFleetbot(): Promise<void> {
    this.#fleetbot = await this.#parts.start();
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
