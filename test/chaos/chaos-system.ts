import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type LedgerEntry, ledgerEntrySchema } from '../../src/fleet/ledger-entry.ts';
import { Keys } from '../../src/queue/keys.ts';
import { describeVerification } from '../../src/queue/ledger/describe-verification.ts';
import { publicKeyText } from '../../src/queue/ledger/ledger-key.ts';
import { verifyLedger } from '../../src/queue/ledger/verify-ledger.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { writeKeyFiles } from '../../src/runtime/write-key-files.ts';
import { answersOk } from '../../src/sandbox/answers-ok.ts';
import { startChild } from '../../src/sandbox/child-process.ts';
import { freePort } from '../../src/sandbox/free-port.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import type { FakeSlack } from '../support/fake-workspace.ts';
import {
  type SimulatedFleet,
  startSimulatedFleet,
} from '../support/simulated-fleet/start-simulated-fleet.ts';
import { ChaosRedis } from './chaos-redis.ts';
import { Recoveries } from './recoveries.ts';
import { signingSecret } from './slack-client.ts';
import type { Storm } from './storm.ts';
import { fleetFileOf, startWorkspace } from './surroundings.ts';
import { startTrappedWire } from './trapped-wire.ts';
import type { Traps } from './traps.ts';
import { Victim } from './victim.ts';
import type { Command, Wire } from './wire.ts';

/** The first worker exports the ledger. */
const exporter = 'worker-1';
const ledgerKey = 'ledger.pem';
const workerCount = 5;
const botCount = 2;
const readyTimeoutMs = 30_000;
const exportTimeoutMs = 30_000;
const exportPollMs = 100;

/** A bot and the port on which Slack reaches it. */
export interface Bot {
  readonly victim: Victim;
  readonly port: number;
}

interface SystemOptions {
  readonly machines: number;
  readonly storm: Storm;
  readonly traps: Traps;
  readonly tell: (line: string) => void;
}

/** Everything real that the suite breaks: Redis, workers, bots; and the workspace and the machines around it. */
export class ChaosSystem {
  readonly folder = mkdtempSync(join(tmpdir(), 'fleetbot-chaos-'));
  readonly keys = new Keys(queueDefaults.prefix);
  readonly recoveries = new Recoveries();
  readonly workers: Victim[] = [];
  readonly bots: Bot[] = [];
  readonly redis: ChaosRedis;
  /** For looking into the records; waits while Redis is away. */
  readonly records: Redis;
  readonly slack: FakeSlack;
  readonly fleet: SimulatedFleet;
  /** Tells whoever looks on what happens. */
  readonly tell: (line: string) => void;
  readonly #options: SystemOptions;
  readonly #wires: Wire[] = [];

  private constructor(options: SystemOptions, redis: ChaosRedis, slack: FakeSlack, fleet: SimulatedFleet) {
    this.#options = options;
    this.tell = options.tell;
    this.redis = redis;
    this.slack = slack;
    this.fleet = fleet;
    this.records = new Redis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => 100 });
    this.records.on('error', () => {});
  }

  static async start(options: SystemOptions): Promise<ChaosSystem> {
    const { storm, machines: count } = options;
    const fleet = await startSimulatedFleet({
      count,
      behaviour: (name) => storm.behaviour(name),
      clockSkewMs: (name) => storm.clockSkewMs(name),
    });
    const system = new ChaosSystem(options, await ChaosRedis.start(), await startWorkspace(), fleet);
    writeFileSync(system.#file('id_ed25519'), newKeyPair().privateKey, { mode: 0o600 });
    writeFileSync(system.#file('fleet.yaml'), stringify(fleetFileOf(fleet)));
    await writeKeyFiles(system.#file(ledgerKey), publicKeyText);
    for (let number = 1; number <= workerCount; number += 1) await system.#addWorker(`worker-${number}`);
    for (let number = 1; number <= botCount; number += 1) await system.#addBot(`bot-${number}`);
    await Promise.all(system.victims.map((victim) => victim.start()));
    return system;
  }

  get victims(): readonly Victim[] {
    return [...this.workers, ...this.bots.map(({ victim }) => victim)];
  }

  /** Kills a process; of a worker, notes which machines' runs it leaves. One that was frozen had left them before. */
  kill(victim: Victim): void {
    const life = lifeOf(victim);
    const wasAtWork = victim.state === 'up' && this.workers.includes(victim);
    victim.kill();
    if (wasAtWork) void this.#noteOrphans(life, Date.now()).then(() => this.#noteLastWorker());
  }

  /** Freezes a process for a while. */
  freeze(victim: Victim, ms: number): void {
    victim.freeze(ms);
    this.#noteLastWorker();
  }

  /** The ledger as Redis holds it; trimmed are only far more entries than a run of the suite makes. */
  async ledger(): Promise<readonly LedgerEntry[]> {
    const stored = await this.records.xrange(this.keys.ledger(), '-', '+');
    return z
      .array(z.tuple([z.string(), z.array(z.string())]))
      .parse(stored)
      .map(([, fields]) => ledgerEntrySchema.parse(JSON.parse(fields[fields.indexOf('entry') + 1] ?? '')));
  }

  /** Waits until everything is exported. Resolves with what is wrong with the file; undefined for nothing. */
  async exportProblem(): Promise<string | undefined> {
    const deadline = Date.now() + exportTimeoutMs;
    for (;;) {
      const [seq, told] = await Promise.all([
        this.records.get(this.keys.ledgerSeq()),
        this.records.hvals(this.keys.ledgerExporters()),
      ]);
      if (told.length > 0 && told.every((text) => text.startsWith(`${seq} `))) break;
      if (Date.now() > deadline) return 'the ledger was not exported to its end';
      await sleep(exportPollMs);
    }
    const verification = await verifyLedger({
      files: [this.#file('ledger.jsonl')],
      keyFile: this.#file(`${ledgerKey}.pub`),
      partial: false,
    });
    return verification.sound ? undefined : describeVerification(verification);
  }

  /** What a process has printed in all its lives. */
  log(victim: Victim): string {
    return readFileSync(join(this.folder, victim.name, 'log'), 'utf8');
  }

  /** Ends the processes; what they printed stays in the folder. */
  async stop(): Promise<void> {
    await Promise.all(this.victims.map((victim) => victim.stop()));
    this.records.disconnect();
    await Promise.all(this.#wires.map((wire) => wire[Symbol.asyncDispose]()));
    await this.redis.stop();
    await this.slack.stop();
    await this.fleet.close();
  }

  async #addWorker(name: string): Promise<void> {
    const settings = {
      FLEETBOT_ROLE: 'worker',
      FLEETBOT_SSH_KEY_FILE: this.#file('id_ed25519'),
      // No more than its part, or the first one would hold all machines and nothing went on beside a dead one.
      FLEETBOT_WORKER_CONCURRENCY: String(Math.ceil(this.#options.machines / workerCount)),
      ...(name === exporter && {
        FLEETBOT_LEDGER_FILE: this.#file('ledger.jsonl'),
        FLEETBOT_LEDGER_KEY_FILE: this.#file(ledgerKey),
      }),
    };
    const worker = await this.#addVictim(name, settings, (command, victim) => {
      if (command.name === 'claimRun') this.recoveries.claimed(command.words[0] ?? '', lifeOf(victim));
      return this.#othersUp(victim, this.workers);
    });
    this.workers.push(worker);
  }

  async #addBot(name: string): Promise<void> {
    const port = await freePort();
    const settings = {
      FLEETBOT_ROLE: 'bot',
      FLEETBOT_SLACK_MODE: 'http',
      FLEETBOT_HTTP_PORT: String(port),
      SLACK_BOT_TOKEN: 'xoxb-chaos',
      SLACK_SIGNING_SECRET: signingSecret,
      SLACK_API_URL: this.slack.apiUrl,
    };
    const victims = () => this.bots.map(({ victim }) => victim);
    const victim = await this.#addVictim(name, settings, (_command, bot) => this.#othersUp(bot, victims()));
    this.bots.push({ victim, port });
  }

  /** @param mayTrap whether a trap may kill the process at this command of it */
  async #addVictim(
    name: string,
    settings: Readonly<Record<string, string>>,
    mayTrap: (command: Command, victim: Victim) => boolean,
  ): Promise<Victim> {
    const folder = this.#file(name);
    mkdirSync(folder);
    const healthPort = await freePort();
    const wire = await startTrappedWire({
      redisPort: this.redis.port,
      traps: this.#options.traps,
      mayTrap: (command) => mayTrap(command, victim),
      kill: ({ write, phase }) => {
        this.tell(`${name} is killed ${phase} Redis gets: ${write}`);
        this.kill(victim);
      },
    });
    this.#wires.push(wire);
    const victim: Victim = new Victim(name, () =>
      startChild({
        name,
        argv: [process.execPath, join(import.meta.dirname, '../../src/main.ts'), 'start'],
        env: {
          PATH: process.env.PATH,
          FLEETBOT_FLEET_FILE: this.#file('fleet.yaml'),
          FLEETBOT_HEALTH_PORT: String(healthPort),
          REDIS_URL: wire.url,
          ...settings,
        },
        cwd: folder,
        logFile: join(folder, 'log'),
        readyTimeoutMs,
        ready: () => answersOk(`http://127.0.0.1:${healthPort}/readyz`),
      }),
    );
    return victim;
  }

  /** A trap takes nobody whose like are all down already. */
  #othersUp(victim: Victim, alike: readonly Victim[]): boolean {
    return victim.state === 'up' && alike.some((other) => other !== victim && other.state === 'up');
  }

  #noteLastWorker(): void {
    if (!this.workers.some(({ state }) => state === 'up')) this.recoveries.disturbed();
  }

  async #noteOrphans(life: string, at: number): Promise<void> {
    const owned = this.recoveries.ownedBy(life);
    const current = await Promise.all(
      owned.map(async (machine) =>
        (await this.records.hget(this.keys.machine(machine), 'current')) ? machine : [],
      ),
    );
    const stillOwned = new Set(this.recoveries.ownedBy(life));
    this.recoveries.orphaned(
      current.flat().filter((machine) => stillOwned.has(machine)),
      at,
    );
  }

  #file(name: string): string {
    return join(this.folder, name);
  }
}

function lifeOf(victim: Victim): string {
  return `${victim.name}, life ${victim.lives}`;
}
