import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import type { TailEntry } from '../../src/queue/ledger-tail.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { openQueue } from './support.ts';

let server: TestRedis;
let redis: Redis;
let queue: Queue & AsyncDisposable;
let now = 1_000;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
  queue = await openQueue(server.url, { ledgerEntriesKept: 0 }, () => now);
});
beforeEach(async () => {
  await redis.flushall();
  now = 1_000;
});
afterAll(async () => {
  await queue[Symbol.asyncDispose]();
  redis.disconnect();
  await server.stop();
});

const said = (run: string): LedgerEntry => ({
  ...{ kind: 'feedback.given', at: now, run, machine: 'web-01', trace: 'a'.repeat(32), rating: 'good' },
  by: { kind: 'person', userId: 'U1', teamId: 'T1' },
});
const append = async (...runs: string[]) => {
  for (const run of runs) await queue.ledger.append(said(run));
};
const runOf = ({ entry }: Pick<TailEntry, 'entry'>) => (entry?.kind === 'feedback.given' ? entry.run : '');
const next = async (limit = 10) => (await queue.ledgerTail.next(limit)).map(runOf);
const due = async () => (await queue.ledgerTail.due(10)).map(runOf);

async function first(): Promise<TailEntry & { readonly entry: LedgerEntry }> {
  const [each] = await queue.ledgerTail.next(1);
  if (each?.entry === undefined) throw new Error('there is no next entry');
  return { ...each, entry: each.entry };
}

it('brings every entry again until it is passed, in order, to whichever process reads', async () => {
  await append('r-1', 'r-2', 'r-3');
  expect(await next(2)).toEqual(['r-1', 'r-2']);
  await queue.ledgerTail.pass(await first());
  expect(await next(2)).toEqual(['r-2', 'r-3']);
  await using other = await openQueue(server.url);
  expect((await other.ledgerTail.next(10)).map(runOf)).toEqual(['r-2', 'r-3']);
  await append('r-4');
  expect(await next()).toEqual(['r-2', 'r-3', 'r-4']);
});

it('tells of a fact that this version does not know that it is there', async () => {
  const newer = ['seq', 1, 'entry', '{"kind":"from-the-future","at":1}'] as const;
  await redis.xadd('{fleetbot}:ledger', '*', ...newer);
  await append('r-1');
  expect(await next()).toEqual(['', 'r-1']);
});

it('keeps what was not passed from being trimmed, from the first look on', async () => {
  await append('r-1', 'r-2');
  await queue.ledger.trim();
  expect(await next()).toEqual([]);

  await append('r-3', 'r-4');
  await queue.ledger.trim();
  expect(await next()).toEqual(['r-3', 'r-4']);
  for (const each of await queue.ledgerTail.next(10)) await queue.ledgerTail.pass(each);
  await queue.ledger.trim();
  expect(await queue.ledger.state()).toMatchObject({ entries: 0 });
});

it('is not taken for a file to which the ledger is exported', async () => {
  await append('r-1');
  await next();
  expect(await queue.ledger.state()).toMatchObject({ entries: 1, unexported: 0 });
});

it('puts off what cannot be done yet, while others go on, and forgets it once it is done', async () => {
  await append('r-1', 'r-2');
  expect(await queue.ledgerTail.putOff(await first(), 2_000, 10)).toBe(true);
  expect(await next()).toEqual(['r-2']);
  expect(await due()).toEqual([]);
  expect((await queue.gauges()).assessmentsWaiting).toBe(1);

  now = 2_000;
  const [later] = await queue.ledgerTail.due(10);
  if (later === undefined) throw new Error('nothing is due');
  expect(later).toMatchObject({ since: 1_000, entry: { run: 'r-1' } });
  await queue.ledgerTail.putOffAgain(later, 3_000);
  expect(await due()).toEqual([]);
  now = 3_000;
  expect(await due()).toEqual(['r-1']);
  await queue.ledgerTail.forget(later);
  // Another process that saw it before brings nothing back.
  await queue.ledgerTail.putOffAgain(later, 3_000);
  expect(await due()).toEqual([]);
});

it('puts off no more than it may: the ledger waits instead', async () => {
  await append('r-1', 'r-2');
  expect(await queue.ledgerTail.putOff(await first(), 2_000, 1)).toBe(true);
  expect(await queue.ledgerTail.putOff(await first(), 2_000, 1)).toBe(false);
  expect(await next()).toEqual(['r-2']);
});

it('goes on where Redis is after it lost its last second: what comes anew is not missed', async () => {
  await append('r-1');
  await queue.ledgerTail.pass(await first());
  const names = await redis.keys('*');
  const kept = await Promise.all(names.map((name) => redis.dumpBuffer(name)));
  await append('r-2', 'r-3');
  await queue.ledgerTail.putOff(await first(), 1_000, 10);
  await queue.ledgerTail.pass(await first());

  await redis.flushall();
  for (const [index, name] of names.entries()) await redis.restore(name, 0, kept[index] ?? '');
  await append('r-4');
  expect(await next()).toEqual(['r-4']);
  expect(await due()).toEqual([]);
});
