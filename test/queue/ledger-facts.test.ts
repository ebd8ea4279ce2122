import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditRow } from '../../src/fleet/audit/audit-row.ts';
import type { Fact, FactPage } from '../../src/fleet/audit/fact.ts';
import { gatherDeeds } from '../../src/fleet/audit/gather-deeds.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import type { LedgerFacts } from '../../src/queue/ledger-facts.ts';
import { accepted, activated, decided, done, runId } from '../fleet/audit/facts.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, openQueue } from './support.ts';

const hourMs = 3_600_000;
const now = Date.UTC(2026, 10, 23, 12);
const ago = (hours: number) => now - hours * hourMs;

let redis: TestRedis;
let client: Redis;
beforeAll(async () => {
  redis = await startTestRedis();
  client = new Redis(redis.url);
});
afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

/** A ledger with these entries, stored at their own times, each one ms after the one before at the earliest. */
async function ledgerOf(
  name: string,
  entries: readonly (LedgerEntry | { readonly at: number })[],
  firstSeq = 1,
): Promise<{ facts: LedgerFacts } & AsyncDisposable> {
  const queue = await openQueue(redis.url, { prefix: `{${name}}` });
  const adding = client.pipeline();
  for (const [index, entry] of entries.entries()) {
    adding.xadd(
      `{${name}}:ledger`,
      `${entry.at}-${index}`,
      'seq',
      firstSeq + index,
      'entry',
      JSON.stringify(entry),
    );
  }
  await adding.exec();
  return { facts: queue.ledgerFacts, [Symbol.asyncDispose]: queue[Symbol.asyncDispose] };
}

async function read(
  pages: AsyncIterable<FactPage>,
): Promise<{ facts: Fact[]; unreadable: number; pages: number }> {
  const all = { facts: [] as Fact[], unreadable: 0, pages: 0 };
  for await (const page of pages) {
    all.facts.push(...page.facts);
    all.unreadable += page.unreadable;
    all.pages += 1;
  }
  return all;
}
const period = (fromHours: number, toHours = 0) => ({
  from: ago(fromHours),
  to: ago(toHours) + 1,
  words: '',
});

describe('the ledger in Redis, read by time', () => {
  it('comes in small pages, both ways, each entry once', async () => {
    const entries = Array.from({ length: 1_203 }, (_, n) => accepted(n, 'web-01', ago(10) + n));
    await using ledger = await ledgerOf('pages', entries);
    const back = await read(ledger.facts.backwards(ago(10) + 1_101));
    expect(back.facts.map(({ entry }) => entry)).toEqual(entries.slice(0, 1_101).reverse());
    expect(back.pages).toBe(3);
    const on = await read(ledger.facts.forwards(ago(10) + 100));
    expect(on.facts.map(({ entry }) => entry)).toEqual(entries.slice(100));
  });

  it('counts what this version cannot read', async () => {
    await using ledger = await ledgerOf('odd', [accepted(1, 'web-01', ago(2)), { at: ago(1) }]);
    const { facts, unreadable } = await read(ledger.facts.backwards(now));
    expect({ facts: facts.length, unreadable }).toEqual({ facts: 1, unreadable: 1 });
  });

  it('begins where older entries were trimmed, and nowhere else', async () => {
    await using whole = await ledgerOf('whole', [accepted(1, 'web-01', ago(2))]);
    expect(await whole.facts.begins()).toBeUndefined();
    await using trimmed = await ledgerOf('trimmed', [accepted(1, 'web-01', ago(2))], 2);
    expect(await trimmed.facts.begins()).toBe(ago(2));
    await using empty = await ledgerOf('empty', []);
    expect(await empty.facts.begins()).toBeUndefined();
  });

  it('has the trace of every run that was accepted', async () => {
    await using queue = await openQueue(redis.url, { prefix: '{traced}' });
    const id = await accept(queue, { machine: 'web-01' });
    const run = await queue.requests.run(id);
    const { facts } = await read(queue.ledgerFacts.forwards(0));
    expect(facts[0]?.entry).toMatchObject({ runs: [{ run: id, trace: run?.trace.traceId }] });
  });
});

describe('what happened in a period', () => {
  /** Runs whose facts lie hours and pages apart, among hundreds of others. */
  const noise = (from: number, at: number) =>
    Array.from({ length: 600 }, (_, n) => accepted(from + n, 'noise', at + n));
  const spread = [
    accepted(1, 'web-01', ago(30)),
    ...noise(1_000, ago(29)),
    activated(1, 'web-01', ago(20), 0.5),
    accepted(2, 'web-02', ago(5)),
    decided(1, 'web-01', ago(4)),
    ...noise(2_000, ago(3)),
    done(1, 'web-01', ago(2)),
    done(2, 'web-02', ago(1)),
  ];

  it('is joined with who asked before it and how it ended after it', async () => {
    await using ledger = await ledgerOf('spread', spread);
    const { deeds, readBackTo, begins, endsKnown } = await gatherDeeds(ledger.facts, period(6, 3.5), now);
    expect({ readBackTo, begins, endsKnown }).toEqual({
      readBackTo: undefined,
      begins: undefined,
      endsKnown: true,
    });
    const rows = deeds.map(auditRow).sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(rows).toMatchObject([
      {
        ...{ id: runId(1), at: ago(30), until: ago(2), who: 'UANN', result: 'ok', costUsd: 0.5 },
        votes: [{ userId: 'UBEN' }],
      },
      { id: runId(2), at: ago(5), until: ago(1), who: 'UANN', result: 'ok' },
    ]);
  });

  it('goes back only as far as the limit, and says so', async () => {
    await using ledger = await ledgerOf('limited', spread);
    const gathered = await gatherDeeds(ledger.facts, period(40), now, { entries: 500, lookedUp: 10_000 });
    expect(gathered.readBackTo).toBeGreaterThan(ago(3));
    const ended = gathered.deeds.map(auditRow).filter(({ result }) => result === 'ok');
    // What was read is whole all the same.
    expect(ended.map(({ who, costUsd }) => ({ who, costUsd }))).toEqual(
      expect.arrayContaining([
        { who: 'UANN', costUsd: 0.5 },
        { who: 'UANN', costUsd: undefined },
      ]),
    );
  });

  it('says what it did not find', async () => {
    const [, ...rest] = spread;
    await using ledger = await ledgerOf('partial', rest, 2);
    const limits = { entries: 10_000, lookedUp: 500 };
    const { deeds, begins, endsKnown } = await gatherDeeds(ledger.facts, period(40, 3.5), now, limits);
    const row = deeds.map(auditRow).find(({ id }) => id === runId(1));
    expect(row).toMatchObject({
      who: undefined,
      what: undefined,
      result: 'not over',
      votes: [{ userId: 'UBEN' }],
    });
    expect(endsKnown).toBe(false);
    expect(begins).toBe(ago(29));
    expect(await gatherDeeds(ledger.facts, period(6), now, limits)).toMatchObject({ begins: undefined });
  });
});
