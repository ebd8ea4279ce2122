import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StaleFenceError } from '../../src/fleet/errors.ts';
import { ledgerEntrySchema } from '../../src/fleet/ledger-entry.ts';
import type { Diagnosis, Run } from '../../src/fleet/run.ts';
import { type Spent, spendingDaysKept, sumOf } from '../../src/fleet/spending.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { Keys } from '../../src/queue/keys.ts';
import { RedisSpending } from '../../src/queue/spending.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, move, openQueue } from './support.ts';

const prefix = '{spending}';
const dayMs = 24 * 3_600_000;
const noon = Date.parse('2026-11-23T12:00:00Z');

let redis: TestRedis;
let queue: Queue;
let direct: Redis;
let now = noon;
let machines = 0;
let machine: string;

beforeAll(async () => {
  redis = await startTestRedis();
  direct = new Redis(redis.url);
  queue = await openQueue(redis.url, { prefix }, () => now);
});
afterAll(async () => {
  direct?.disconnect();
  await queue?.close();
  await redis?.stop();
});
beforeEach(() => {
  machines += 1;
  machine = `machine-${machines}`;
  now = noon;
});

const told = {
  usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60 },
  model: 'm',
  costUsd: 0.0042,
};
const begun = (activations: number): Diagnosis => ({ activations, toolCalls: [], contradictions: [] });

/** A run whose agent is stopped after it told this, and the fence under which it is. */
async function stopping(diagnosis: Partial<Diagnosis> = told): Promise<{ run: Run; fence: number }> {
  await accept(queue, { machine });
  const claim = await queue.runs.claim(machine);
  if (claim === undefined) throw new Error('nothing to claim');
  const { fence } = claim;
  const gathering = await move(queue.runs, fence, claim.run, 'gathering');
  const starting = await move(queue.runs, fence, gathering, 'starting', { diagnosis: begun(1) });
  const run = await move(queue.runs, fence, starting, 'stopping', {
    diagnosis: { ...begun(1), ...diagnosis },
  });
  return { run, fence };
}

async function rowsOf(...times: readonly string[]) {
  return (await queue.spending.rows(times)).filter((row) => row.machine === machine);
}
const spentOn = async (...times: readonly string[]): Promise<Spent> => sumOf(await rowsOf(...times));

async function endings() {
  const entries = await queue.ledger.read('', 10_000);
  return entries
    .map(({ entry }) => ledgerEntrySchema.parse(JSON.parse(entry)))
    .filter((entry) => entry.kind === 'activation.ended' && entry.machine === machine);
}

describe('what an activation used', () => {
  it('is in the sums of its day and its month and in the ledger as its run leaves `stopping`, not before', async () => {
    const { run, fence } = await stopping();
    expect(await rowsOf('2026-11-23', '2026-11')).toEqual([]);
    await move(queue.runs, fence, run, 'done', { verdict: 'ok', inertness: 'inactive' });
    const used = {
      ...{ machine, spender: 'U1', model: 'm', activations: 1, inputTokens: 100, outputTokens: 20 },
      ...{ cacheReadTokens: 60, cacheWriteTokens: 0, microUsd: 4_200, unpriced: 0, untold: 0 },
    };
    expect(await rowsOf('2026-11-23', '2026-11')).toEqual([
      { time: '2026-11-23', ...used },
      { time: '2026-11', ...used },
    ]);
    expect(await endings()).toEqual([
      { kind: 'activation.ended', at: now, run: run.id, machine, activation: 1, ...told },
    ]);
  });

  it('is counted once, however often its end is sent after lost answers', async () => {
    const { run, fence } = await stopping();
    const done = await move(queue.runs, fence, run, 'done', { verdict: 'ok', inertness: 'inactive' });
    now += dayMs;
    for (const _time of [1, 2]) await queue.runs.save(done, 'stopping', fence);
    expect(await spentOn('2026-11-23', '2026-11-24')).toMatchObject({ activations: 1, microUsd: 4_200 });
    expect(await endings()).toHaveLength(1);
  });

  it('is not counted by what is noted while its agent is being stopped', async () => {
    const { run, fence } = await stopping();
    await queue.runs.save({ ...run, inertness: 'inactive' }, 'stopping', fence);
    expect(await rowsOf('2026-11-23')).toEqual([]);
    expect(await endings()).toEqual([]);
  });

  it('is not counted for a worker that no longer holds the machine', async () => {
    const { run, fence } = await stopping();
    await queue.runs.claim(machine);
    await expect(move(queue.runs, fence, run, 'done', { verdict: 'ok' })).rejects.toBeInstanceOf(
      StaleFenceError,
    );
    expect(await rowsOf('2026-11-23')).toEqual([]);
  });

  it('is not told of one that was cut off: it counts as such, and so does the second one', async () => {
    const { run, fence } = await stopping({});
    const again = await move(queue.runs, fence, run, 'starting', { diagnosis: begun(2) });
    expect(await spentOn('2026-11-23')).toMatchObject({ activations: 1, untold: 1, microUsd: 0 });
    const stopped = await move(queue.runs, fence, again, 'stopping', { diagnosis: { ...begun(2), ...told } });
    await move(queue.runs, fence, stopped, 'done', { verdict: 'ok', inertness: 'inactive' });
    expect(await spentOn('2026-11-23')).toMatchObject({ activations: 2, untold: 1, microUsd: 4_200 });
    expect(await endings()).toMatchObject([
      { activation: 1, failure: 'agent-interrupted' },
      { activation: 2, costUsd: 0.0042 },
    ]);
  });

  it('counts on the day on which it ended, in UTC', async () => {
    const { run, fence } = await stopping();
    now = Date.parse('2026-12-01T00:00:00Z');
    await move(queue.runs, fence, run, 'done', { verdict: 'ok', inertness: 'inactive' });
    expect((await rowsOf('2026-11-23', '2026-11-30', '2026-11')).length).toBe(0);
    expect((await rowsOf('2026-12-01', '2026-12')).length).toBe(2);
  });

  it('without a price is told as tokens without one', async () => {
    const { usage, model } = told;
    const { run, fence } = await stopping({ usage, model, failure: { code: 'agent-failed', message: 'x' } });
    await move(queue.runs, fence, run, 'done', { verdict: 'ok', inertness: 'inactive' });
    expect(await spentOn('2026-11-23')).toMatchObject({
      inputTokens: 100,
      unpriced: 1,
      untold: 0,
      microUsd: 0,
    });
    expect(await endings()).toMatchObject([{ failure: 'agent-failed', usage }]);
  });

  it('can be read of one machine alone', async () => {
    const { run, fence } = await stopping();
    await move(queue.runs, fence, run, 'done', { verdict: 'ok', inertness: 'inactive' });
    const rows = await queue.spending.rows(['2026-11-23'], machine);
    expect(rows).toEqual(await rowsOf('2026-11-23'));
    expect(await queue.spending.rows(['2026-11-23'], machine.slice(0, -1))).not.toContainEqual(rows[0]);
  });

  it('lets others be served while there are many sums to read', async () => {
    const count = 5_000;
    const sums = (nth: number) => [JSON.stringify(['web-01', `U${nth}`, 'm']), '1 100 20 0 0 4200 0 0'];
    const stored = Object.fromEntries(Array.from({ length: count }, (_, nth) => sums(nth)));
    // At once, so that no turn is Redis's.
    const atOnce = Object.assign(new Redis({ lazyConnect: true }), { hgetall: async () => stored });
    const spending = new RedisSpending({ redis: atOnce, keys: new Keys(prefix) });
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      others = setImmediate(turn);
    };
    let others = setImmediate(turn);
    expect(await spending.rows(['2026-11-23'])).toHaveLength(count);
    clearImmediate(others);
    expect(turns).toBeGreaterThan(1);
  });

  it('is kept for its time', async () => {
    const { run, fence } = await stopping();
    await move(queue.runs, fence, run, 'done', { verdict: 'ok', inertness: 'inactive' });
    const left = await direct.pttl(`${prefix}:spending:2026-11-23`);
    expect(left).toBeGreaterThan((spendingDaysKept - 1) * dayMs);
    expect(left).toBeLessThanOrEqual(spendingDaysKept * dayMs);
  });

  it('adds up exactly, whatever the costs', async () => {
    const costs = fc.sample(fc.integer({ min: 0, max: 1_000_000_000_000 }), { numRuns: 12, seed: 7 });
    for (const microUsd of costs) {
      const { run, fence } = await stopping({ ...told, costUsd: microUsd / 1_000_000 });
      await move(queue.runs, fence, run, 'done', { verdict: 'ok', inertness: 'inactive' });
    }
    const sum = costs.reduce((a, b) => a + b, 0);
    expect(await spentOn('2026-11-23')).toMatchObject({ activations: costs.length, microUsd: sum });
    expect(await spentOn('2026-11')).toMatchObject({ activations: costs.length, microUsd: sum });
  });
});
