import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { handOverDuty } from '../../src/dispatch/hand-overs.ts';
import type { HandOvers } from '../../src/dispatch/ports.ts';
import { approvalRulesSchema } from '../../src/fleet/fleet.ts';
import type { HandOver } from '../../src/fleet/hand-over.ts';
import { beginCall, type HandOverMove, takeHandOver } from '../../src/fleet/hand-over-moves.ts';
import { type LedgerEntry, ledgerEntrySchema } from '../../src/fleet/ledger-entry.ts';
import { createPagers } from '../../src/on-call/create-pagers.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { Keys } from '../../src/queue/keys.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { PagerServer, silence } from '../support/pager-server.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { askPeople, openQueue, settled, silent } from './support.ts';

const keys = new Keys(queueDefaults.prefix);
const patienceMs = 60_000;
const to = ['U0EVA', 'pager:primary'];

let redis: TestRedis;
let queue: Queue & AsyncDisposable;
let admin: Redis;
let machines = 0;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url);
  admin = new Redis(redis.url);
});
afterAll(async () => {
  admin?.disconnect();
  await queue?.close();
  await redis?.stop();
});
beforeEach(() => {
  machines += 1;
});

/** An escalation is settled. @returns the id of what is handed over */
async function escalate(
  state: 'approved' | 'denied' | 'expired' = 'approved',
  of: Queue = queue,
): Promise<string> {
  const question = { subject: { kind: 'escalation' as const, to } };
  const { run } = await askPeople(of, `machine-${machines}`, { question });
  await of.approvals.change(run.id, (asking) => settled(asking, state));
  return `o-${run.id.slice(2)}`;
}

const call =
  (target: number, now = Date.now()) =>
  (handOver: HandOver): HandOverMove | undefined =>
    beginCall(handOver, target, now, { patienceMs });

async function entriesOf(id: string, of: Queue = queue): Promise<LedgerEntry[]> {
  const stored = await of.ledger.read('', 10_000);
  const entries = stored.map(({ entry }) => ledgerEntrySchema.parse(JSON.parse(entry)));
  return entries.filter((entry) => 'handOver' in entry && entry.handOver === id);
}

it('begins in the step that settles the question, is due at once and to be shown before the rest', async () => {
  const id = await escalate('expired');
  const handOver = await queue.handOvers.handOver(id);
  expect(handOver).toMatchObject({ id, because: 'expired', targets: to, state: 'calling', calls: [] });
  expect(await queue.handOvers.due(Date.now())).toContain(id);
  const view = (await queue.views.take(10)).find((dirty) => dirty.id === id);
  expect(view).toMatchObject({ kind: 'hand-over', priority: 'decision' });
});

it('does not begin where people denied', async () => {
  expect(await queue.handOvers.handOver(await escalate('denied'))).toBeUndefined();
});

it('begins once, however many settle the question at the same time', async () => {
  const question = { subject: { kind: 'escalation' as const, to } };
  const { run } = await askPeople(queue, `machine-${machines}`, { question });
  const settle = (state: 'approved' | 'expired') =>
    queue.approvals.change(run.id, (asking) => settled(asking, state));
  await Promise.all([settle('approved'), settle('expired'), settle('approved')]);
  const id = `o-${run.id.slice(2)}`;
  const stored = await queue.requests.run(run.id);
  expect((await queue.handOvers.handOver(id))?.because).toBe(stored?.approval?.state);
  expect((await queue.handOvers.due(Date.now())).filter((each) => each === id)).toHaveLength(1);
});

it('of many who call the next one at once, one does', async () => {
  const id = await escalate();
  await using other = await openQueue(redis.url);
  const stores = [queue.handOvers, other.handOvers];
  await Promise.all([...stores, ...stores, ...stores].map((store) => store.change(id, call(0))));
  expect((await queue.handOvers.handOver(id))?.calls).toHaveLength(1);
  expect((await entriesOf(id)).map(({ kind }) => kind)).toEqual(['hand-over.called']);
});

it('of many who take it at once, one has it', async () => {
  const id = await escalate();
  const people = ['U1', 'U2', 'U3', 'U4'].map((userId) => ({
    kind: 'person' as const,
    userId,
    teamId: 'T1',
  }));
  const seen = await Promise.all(
    people.map((by) => queue.handOvers.change(id, (handOver) => takeHandOver(handOver, by, Date.now()))),
  );
  const holders = new Set(seen.map((handOver) => handOver?.takenBy?.by.userId));
  expect(holders.size).toBe(1);
  expect((await entriesOf(id)).map(({ kind }) => kind)).toEqual(['hand-over.taken']);
});

it('is looked at again when the next one is due, and goes with time once it is over', async () => {
  const id = await escalate();
  const now = Date.now();
  await queue.handOvers.change(id, call(0, now));
  expect(await queue.handOvers.due(now + patienceMs - 1)).not.toContain(id);
  expect(await queue.handOvers.due(now + patienceMs)).toContain(id);
  expect(await admin.pttl(keys.handOver(id))).toBe(-1);

  const by = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;
  await queue.handOvers.change(id, (handOver) => takeHandOver(handOver, by, now));
  expect(await queue.handOvers.due(Number.MAX_SAFE_INTEGER)).not.toContain(id);
  expect(await admin.pttl(keys.handOver(id))).toBeGreaterThan(queueDefaults.recordsKeptMs - 60_000);
});

it('goes on in the process that takes over while a pager is called, which pages once', async () => {
  await using server = await PagerServer.start();
  await using one = await openQueue(redis.url, { prefix: '{taken-over}' });
  await using other = await openQueue(redis.url, { prefix: '{taken-over}' });
  const dutyOf = (store: HandOvers) =>
    handOverDuty({
      store,
      pagers: createPagers({
        entries: new Map([['primary', { kind: 'pagerduty', routingKey: 'R0', url: server.url }]]),
        log: silent,
      }),
      slack: { isOutside: async () => false, link: async () => undefined },
      silences: queue.silences,
      fleet: () => ({
        approvals: approvalRulesSchema.parse({ handOverMinutes: 0.000_01 }),
        machines: new Map(),
      }),
      clock: Date.now,
    });
  const id = await escalate('approved', one);
  const first = new AbortController();
  server.answers.push(silence);
  const leading = (async () => {
    while (!first.signal.aborted) await dutyOf(one.handOvers).run(first.signal);
  })();
  await expect.poll(() => server.paged.length, { timeout: 5_000 }).toBe(1);
  first.abort(new Error('another process leads'));
  await expect(leading).rejects.toThrow('another process leads');
  await dutyOf(other.handOvers).run(new AbortController().signal);
  expect(await other.handOvers.handOver(id)).toMatchObject({ state: 'delivered', calls: { length: 2 } });
  expect(server.paged).toHaveLength(2);
  expect(server.incidents).toEqual([id]);
  const kinds = (await entriesOf(id, other)).map(({ kind }) => kind);
  expect(kinds).toEqual(['hand-over.called', 'hand-over.called', 'hand-over.ended']);
});

it('an unknown one stays unknown', async () => {
  expect(await queue.handOvers.change('o-nonesuch0000', call(0))).toBeUndefined();
});
