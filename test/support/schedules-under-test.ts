import { Redis } from 'ioredis';
import { z } from 'zod';
import { type HandInWish, handIn } from '../../src/dispatch/hand-in.ts';
import type { MayAsk } from '../../src/dispatch/ports.ts';
import { schedulesDuty } from '../../src/dispatch/schedules.ts';
import type { Campaign } from '../../src/fleet/campaign.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { hostKey } from '../fleet/fixtures.ts';
import { openQueue, silent } from '../queue/support.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const machines = ['web-01', 'web-02', 'db-01'];
const mayAll: MayAsk = async (_person, _verb, all) => ({ allowed: all, why: '', isCertain: true });
const acceptedSchema = z.object({
  kind: z.literal('request.accepted'),
  eventId: z.string(),
  campaign: z.string(),
});

/** web-01, web-02 and db-01 with these schedules. */
export function fleetWith(schedules: string): Fleet {
  const rows = machines.map(
    (name, index) => `  - { name: ${name}, address: ${name}.test, hostKey: ${hostKey(index)} }\n`,
  );
  const limits = 'defaults: { limits: { maxWaiting: 1000, requestsPerMinute: 10000 } }';
  return loadFleet(
    `version: 1\n${limits}\nmachines:\n${rows.join('')}schedules:\n${schedules}`,
    'fleet.yaml',
  );
}

/** Dispatchers of two processes over one real Redis, with a clock that stands where a test puts it. */
export class SchedulesUnderTest {
  now = 0;
  fleet = fleetWith('  []\n');
  readonly #redis: TestRedis;
  readonly reader: Redis;
  #queues: readonly [Queue, Queue] | undefined;
  #campaigns = 0;

  private constructor(redis: TestRedis) {
    this.#redis = redis;
    this.reader = new Redis(redis.url);
  }

  static async start(): Promise<SchedulesUnderTest> {
    const redis = await startTestRedis();
    const test = new SchedulesUnderTest(redis);
    const open = () => openQueue(redis.url, {}, () => test.now);
    test.#queues = [await open(), await open()];
    return test;
  }

  get queues(): readonly [Queue, Queue] {
    if (this.#queues === undefined) throw new Error('not connected');
    return this.#queues;
  }

  async reset(): Promise<void> {
    await this.reader.flushall();
    this.#campaigns = 0;
  }

  async stop(): Promise<void> {
    this.reader.disconnect();
    await Promise.all(this.queues.map((queue) => queue.close()));
    await this.#redis.stop();
  }

  /** A dispatcher's duty, as it is after a start. */
  dispatcher(
    queue: Queue = this.queues[0],
    options: { mayAsk?: MayAsk; afterHandIn?: (wish: HandInWish) => void } = {},
  ): { look: () => Promise<void> } {
    const { schedules, requests, halts } = queue;
    const tools = {
      ...{ fleet: () => this.fleet, requests, halts, clock: () => this.now },
      ...{ holdBack: async () => [], budgets: queue.budgets, seal: undefined },
      newCampaignId: () => {
        this.#campaigns += 1;
        return `c-${String(this.#campaigns).padStart(12, '0')}`;
      },
    };
    const duty = schedulesDuty({
      ...{ fleet: () => this.fleet, schedules, clock: () => this.now, log: silent },
      mayAsk: options.mayAsk ?? mayAll,
      async handIn(wish) {
        // A month goes by in seconds: the limit is for a month that takes a month.
        const handedIn = await handIn({ ...wish, requestsPerMinute: 1_000_000 }, tools);
        options.afterHandIn?.(wish);
        return handedIn;
      },
    });
    return { look: () => duty.run(new AbortController().signal) };
  }

  /** What was accepted, in order, as the ledger tells it. */
  async accepted(): Promise<readonly z.infer<typeof acceptedSchema>[]> {
    const rows = await this.reader.xrange('{fleetbot}:ledger', '-', '+');
    return rows.flatMap(([, fields]) => {
      const entry = JSON.parse(fields[fields.indexOf('entry') + 1] ?? '');
      return acceptedSchema.safeParse(entry).data ?? [];
    });
  }

  async campaign(id: string): Promise<Campaign> {
    const found = await this.queues[0].requests.campaign(id);
    if (found === undefined) throw new Error(`no campaign ${id}`);
    return found.campaign;
  }
}
