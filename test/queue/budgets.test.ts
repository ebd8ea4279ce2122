import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Budgeted } from '../../src/fleet/budget-state.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import type { SpendingRow } from '../../src/fleet/spending.ts';
import { RedisBudgets } from '../../src/queue/budgets.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { aRow } from '../fleet/any-spending.ts';
import { hostKey } from '../fleet/fixtures.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { sampleRun } from '../support/sample-run.ts';
import { openQueue } from './support.ts';

const staleMs = 5_000;
const noon = Date.parse('2026-11-23T12:00:00Z');
const ann = { kind: 'person', userId: 'U0ANN', teamId: 'T1' } as const;
const ask = { task: { kind: 'ask', question: 'Why?' }, requester: ann } as const;

const fleetWith = (budgets: string): Budgeted =>
  loadFleet(
    `version: 1\nmachines: [{ name: rhel-01, address: a.test, hostKey: ${hostKey(1)} }]\nbudgets: [${budgets}]\nprices: { m: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } }\n`,
    'fleet.yaml',
  );
const perDay = '{ name: web, usd: 1, per: day }';

let redis: TestRedis;
let queue: Queue;
let now = noon;
let fleet = fleetWith(perDay);
let rows: SpendingRow[] = [];
let isAway = false;
/** How often sums were read, and which. */
let reads: (readonly string[])[] = [];
let prefixes = 0;
let budgets: RedisBudgets;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await queue?.close();
  await redis?.stop();
});
beforeEach(async () => {
  await queue?.close();
  prefixes += 1;
  queue = await openQueue(redis.url, { prefix: `{budgets${prefixes}}` }, () => now);
  now = noon;
  fleet = fleetWith(perDay);
  rows = [];
  isAway = false;
  reads = [];
  budgets = anotherProcess();
});

function anotherProcess(): RedisBudgets {
  return new RedisBudgets({
    spending: {
      rows: async (times) => {
        reads.push(times);
        if (isAway) throw new StoreUnavailableError('Redis is away.');
        return rows.filter(({ time }) => times.includes(time));
      },
    },
    ledger: queue.ledger,
    fleet: () => fleet,
    clock: () => now,
    staleMs,
  });
}
const machines = () => [...fleet.machines.values()];
async function ledger(): Promise<readonly LedgerEntry[]> {
  return (await queue.ledger.read('', 100)).map(({ entry }) => JSON.parse(entry));
}

describe('budgets', () => {
  it('are in nobody’s way before they are used up', async () => {
    rows = [aRow({ microUsd: 999_999 })];
    expect(await budgets.over(machines(), ask)).toEqual([]);
    expect(await ledger()).toEqual([]);
  });

  it('refuse what may want the agent once they are', async () => {
    rows = [aRow({ microUsd: 1_000_000 })];
    expect(await budgets.over(machines(), ask)).toEqual([
      {
        machines: machines(),
        why: expect.stringMatching(/^The budget web is used up: \$1\.00 of \$1\.00 on 2026-11-23/),
      },
    ]);
    const act = { kind: 'act', action: 'restart', params: {} } as const;
    expect(await budgets.over(machines(), { task: act, requester: ann })).toEqual([]);
    const [machine] = machines();
    expect(machine && (await budgets.obstacle(sampleRun('r-1', 'gathering'), machine))).toContain(
      'the budget web is used up',
    );
  });

  it('read the sums of their period once in a while, however many ask', async () => {
    await Promise.all([1, 2, 3].map(() => budgets.over(machines(), ask)));
    expect(reads).toEqual([['2026-11-23']]);
    rows = [aRow({ microUsd: 1_000_000 })];
    now += staleMs - 1;
    expect(await budgets.over(machines(), ask)).toEqual([]);
    now += 1;
    expect(await budgets.over(machines(), ask)).toHaveLength(1);
    expect(reads).toHaveLength(2);
    // The clock is set back.
    now -= 2 * staleMs;
    await budgets.states();
    expect(reads).toHaveLength(3);
  });

  it('are read anew where the fleet file is another one, and not at all where it has none', async () => {
    rows = [aRow({ microUsd: 1_500_000 })];
    expect(await budgets.over(machines(), ask)).toHaveLength(1);
    fleet = fleetWith(perDay.replace('usd: 1', 'usd: 2'));
    expect(await budgets.over(machines(), ask)).toEqual([]);
    fleet = fleetWith('');
    expect(await budgets.over(machines(), ask)).toEqual([]);
    expect(reads).toHaveLength(2);
  });

  it('begin anew with the next day', async () => {
    rows = [aRow({ microUsd: 1_000_000 })];
    expect(await budgets.over(machines(), ask)).toHaveLength(1);
    now = Date.parse('2026-11-24T00:00:00Z');
    expect(await budgets.over(machines(), ask)).toEqual([]);
  });

  it('begin anew at midnight, however short before it the sums were read', async () => {
    rows = [aRow({ microUsd: 1_000_000 })];
    now = Date.parse('2026-11-23T23:59:59.999Z');
    expect(await budgets.over(machines(), ask)).toHaveLength(1);
    now += 1;
    expect(await budgets.over(machines(), ask)).toEqual([]);
  });

  it('let nothing through where the sums cannot be read, and ask again at once', async () => {
    isAway = true;
    await expect(budgets.over(machines(), ask)).rejects.toBeInstanceOf(StoreUnavailableError);
    isAway = false;
    expect(await budgets.over(machines(), ask)).toEqual([]);
  });

  it('tell the ledger when they are used up, once for each period and limit, whoever sees it', async () => {
    rows = [aRow({ microUsd: 1_200_000 }), aRow({ time: '2026-11-24', microUsd: 3_000_000 })];
    for (const each of [budgets, anotherProcess()]) {
      for (const _time of [1, 2]) {
        await each.states();
        now += staleMs;
      }
    }
    expect(await ledger()).toEqual([
      {
        ...{ kind: 'budget.exceeded', at: noon, budget: 'web', period: '2026-11-23' },
        ...{ limitUsd: 1, spentUsd: 1.2 },
      },
    ]);
    now = Date.parse('2026-11-24T12:00:00Z');
    await budgets.states();
    fleet = fleetWith(perDay.replace('usd: 1', 'usd: 2'));
    await budgets.states();
    expect((await ledger()).slice(1)).toMatchObject([
      { period: '2026-11-24', limitUsd: 1 },
      { period: '2026-11-24', limitUsd: 2 },
    ]);
  });
});
