import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue as BullQueue } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { z } from 'zod';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { startRedis } from '../../src/sandbox/redis-server.ts';
import { noLimits } from '../support/no-limits.ts';
import { benchFleet, machineName } from './bench-fleet.ts';
import { type CampaignCost, measureCampaign } from './campaign.ts';
import type { Ended, WorkOrder } from './messages.ts';
import { type RedisCost, redisCost } from './redis-cost.ts';
import { startProcess, WorkerProcess } from './worker-process.ts';

/** How much is measured. */
export interface BenchSize {
  readonly workers: number;
  /** Runs or jobs that one worker drives at the same time. */
  readonly concurrency: number;
  readonly runsPerMachine: number;
  readonly jobsPerRound: number;
  readonly requestsPerSecond: number;
  readonly pacedSeconds: number;
}

/** What Redis held after so many requests were answered. */
export interface MemorySample {
  readonly requests: number;
  readonly usedBytes: number;
}

/** What came of one round. */
export interface Round {
  readonly count: number;
  /** From the first done to the last. */
  readonly elapsedMs: number;
  readonly redis: RedisCost;
  readonly workers: readonly Ended[];
}

const pollMs = 20;
/** Without a single run done for this long, the benchmark gives up. */
const stallTimeoutMs = 30_000;
/** Requests or jobs that are handed in at the same time. */
const handedInAtOnce = 200;

/** Redis, a collector and workers, each in a process of its own, and the rounds that are run with them. */
export class Bench implements AsyncDisposable {
  readonly #size: BenchSize;
  readonly #redisUrl: string;
  readonly #stopRedis: () => Promise<void>;
  readonly #collector: ChildProcess;
  readonly #collectorUrl: string;
  /** Each kind has its own, so that neither's memory holds what the other needed. */
  readonly #workers: Readonly<Record<WorkOrder['kind'], readonly WorkerProcess[]>>;
  readonly redis: Redis;
  #rounds = 0;

  private constructor(
    size: BenchSize,
    server: { url: string; stop: () => Promise<void> },
    collector: { process: ChildProcess; url: string },
  ) {
    this.#size = size;
    this.#redisUrl = server.url;
    this.#stopRedis = server.stop;
    this.#collector = collector.process;
    this.#collectorUrl = collector.url;
    const startWorkers = () => Array.from({ length: size.workers }, () => new WorkerProcess());
    this.#workers = { product: startWorkers(), bare: startWorkers() };
    this.redis = new Redis(server.url, { maxRetriesPerRequest: null });
  }

  static async start(size: BenchSize, tell: (line: string) => void): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), 'fleetbot-bench-'));
    const server = await startRedis({ folder, tell });
    const stop = async (): Promise<void> => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    };
    const collector = startProcess('null-collector.ts');
    const [url] = z
      .tuple([z.string()])
      .rest(z.unknown())
      .parse(await once(collector, 'message'));
    return new Bench(size, { url: server.url, stop }, { process: collector, url });
  }

  /** Hands in requests for all machines in turn, then has the workers drive them. */
  async productRound(machines: number): Promise<Round> {
    const count = this.#size.runsPerMachine * machines;
    return this.#round('product', count, machines, async (prefix) => {
      const queue = await this.#openQueue(prefix);
      await handIn(0, count, (number) => request(queue, number, machines));
      await queue.close();
    });
  }

  /** The same with jobs of BullMQ that do nothing. */
  async bareRound(): Promise<Round> {
    const count = this.#size.jobsPerRound;
    return this.#round('bare', count, 1, async (prefix) => {
      const queue = this.#openBareQueue(prefix);
      await handIn(0, count, (number) => addJob(queue, number));
      await queue.close();
    });
  }

  /** Requests at a steady pace, while the workers have little to do. */
  async pacedProductRound(machines: number): Promise<Round> {
    const prefix = this.#nextPrefix();
    const queue = await this.#openQueue(prefix);
    const round = await this.#pacedRound('product', prefix, machines, (number) =>
      request(queue, number, machines),
    );
    await queue.close();
    return round;
  }

  /** Has requests answered and shown, `step` after `step`, and looks each time at what Redis holds. */
  async memoryRound(machines: number, step: number, steps: number): Promise<readonly MemorySample[]> {
    const prefix = this.#nextPrefix();
    const queue = await this.#openQueue(prefix);
    this.#begin('product', prefix, machines);
    const samples: MemorySample[] = [];
    for (let from = 0; from < step * steps; from += step) {
      await handIn(from, from + step, (number) => request(queue, number, machines));
      await this.#done('product', from + step);
      await showAll(queue);
      const [, used] = /^used_memory:(\d+)/m.exec(await this.redis.info('memory')) ?? [];
      samples.push({ requests: from + step, usedBytes: Number(used) });
    }
    await this.#end('product', step * steps);
    await queue.close();
    await this.redis.flushall();
    return samples;
  }

  /** Has one campaign asked of all machines, wave after wave, and shown in a Slack that answers at once. */
  async campaignRound(machines: number, anomalies: number): Promise<CampaignCost> {
    const prefix = this.#nextPrefix();
    const queue = await this.#openQueue(prefix);
    await redisCost(this.redis);
    this.#begin('product', prefix, machines, anomalies);
    const shown = await measureCampaign(queue, benchFleet(machines));
    const { redis } = await this.#end('product', machines);
    await queue.close();
    await this.redis.flushall();
    return { ...shown, machines, anomalies, redis };
  }

  /** The same with jobs of BullMQ that do nothing. */
  async pacedBareRound(): Promise<Round> {
    const prefix = this.#nextPrefix();
    const queue = this.#openBareQueue(prefix);
    const round = await this.#pacedRound('bare', prefix, 1, (number) => addJob(queue, number));
    await queue.close();
    return round;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { product, bare } = this.#workers;
    await Promise.all([...product, ...bare].map((worker) => worker.close()));
    this.#collector.disconnect();
    this.redis.disconnect();
    await this.#stopRedis();
  }

  async #round(
    kind: WorkOrder['kind'],
    count: number,
    machines: number,
    handInAll: (prefix: string) => Promise<void>,
  ): Promise<Round> {
    const prefix = this.#nextPrefix();
    await redisCost(this.redis);
    await handInAll(prefix);
    this.#begin(kind, prefix, machines);
    await this.#done(kind, count);
    const round = await this.#end(kind, count);
    await this.redis.flushall();
    return round;
  }

  async #pacedRound(
    kind: WorkOrder['kind'],
    prefix: string,
    machines: number,
    handInOne: (number: number) => Promise<void>,
  ): Promise<Round> {
    const { requestsPerSecond, pacedSeconds } = this.#size;
    const count = requestsPerSecond * pacedSeconds;
    this.#begin(kind, prefix, machines);
    // The first one finds out when the workers are there.
    await handInOne(0);
    await this.#done(kind, 1);
    await redisCost(this.redis);
    const begunAt = performance.now();
    const handedIn: Promise<void>[] = [];
    for (let number = 1; number <= count; number += 1) {
      await sleep(Math.max(0, begunAt + (number * 1_000) / requestsPerSecond - performance.now()));
      handedIn.push(handInOne(number));
    }
    await Promise.all(handedIn);
    await this.#done(kind, count + 1);
    return this.#end(kind, count);
  }

  #begin(kind: WorkOrder['kind'], prefix: string, machines: number, anomalies = 0): void {
    const { concurrency } = this.#size;
    for (const worker of this.#workers[kind]) {
      const [redisUrl, collectorUrl] = [this.#redisUrl, this.#collectorUrl];
      worker.begin({ kind, prefix, concurrency, machines, anomalies, redisUrl, collectorUrl });
    }
  }

  async #end(kind: WorkOrder['kind'], count: number): Promise<Round> {
    const redis = await redisCost(this.redis);
    const workers = await Promise.all(this.#workers[kind].map((worker) => worker.end()));
    const worked = workers.filter(({ firstDoneAt }) => firstDoneAt > 0);
    const elapsedMs =
      Math.max(...worked.map(({ lastDoneAt }) => lastDoneAt)) -
      Math.min(...worked.map(({ firstDoneAt }) => firstDoneAt));
    return { count, elapsedMs, redis, workers };
  }

  async #done(kind: WorkOrder['kind'], count: number): Promise<void> {
    let [before, changedAt] = [-1, performance.now()];
    for (;;) {
      const done = this.#workers[kind].reduce((sum, worker) => sum + worker.done, 0);
      if (done >= count) return;
      if (done !== before) [before, changedAt] = [done, performance.now()];
      if (performance.now() - changedAt > stallTimeoutMs) throw new Error(`stuck at ${done} of ${count}`);
      await sleep(pollMs);
    }
  }

  #nextPrefix(): string {
    this.#rounds += 1;
    return `{bench${this.#rounds}}`;
  }

  #openBareQueue(prefix: string): BullQueue {
    return new BullQueue('jobs', { connection: this.redis, prefix });
  }

  #openQueue(prefix: string): Promise<Queue> {
    return createQueue({ redisUrl: this.#redisUrl, log: pino({ level: 'silent' }), settings: { prefix } });
  }
}

/** Hands in the numbers of a range, many at the same time. */
async function handIn(from: number, to: number, one: (number: number) => Promise<void>): Promise<void> {
  for (let at = from; at < to; at += handedInAtOnce) {
    const some = Array.from({ length: Math.min(handedInAtOnce, to - at) }, (_, index) => at + index);
    await Promise.all(some.map(one));
  }
}

/** For all machines in turn. */
async function request(queue: Queue, number: number, machines: number): Promise<void> {
  await queue.requests.accept(
    [
      {
        eventId: `Ev${number}`,
        machine: machineName(number % machines),
        task: { kind: 'check', check: 'disk' },
        requester: { kind: 'person', userId: 'U0BENCH', teamId: 'T0BENCH' },
        origin: { channel: 'C0BENCH' },
        acceptedAt: Date.now(),
      },
    ],
    noLimits,
  );
}

/** What a bot does for Redis' memory: it brings every view up to date. */
async function showAll(queue: Queue): Promise<void> {
  for (;;) {
    const views = await queue.views.take(handedInAtOnce);
    if (views.length === 0) return;
    await Promise.all(views.map((view) => queue.views.release(view)));
  }
}

async function addJob(queue: BullQueue, number: number): Promise<void> {
  const data = { acceptedAt: Date.now(), machine: machineName(number) };
  await queue.add('job', data, { removeOnComplete: true });
}
