import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LedgerEntry, ledgerEntrySchema } from '../../src/fleet/ledger-entry.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { aCampaign, accept, aRequest, move, openQueue } from './support.ts';

let redis: TestRedis;
let queue: Queue & AsyncDisposable;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url);
});
afterAll(async () => {
  await queue[Symbol.asyncDispose]();
  await redis.stop();
});

/** The last entries, read like an exporter does. */
async function entries(of: Queue = queue): Promise<LedgerEntry[]> {
  const stored = await of.ledger.read('', 10_000);
  return stored.map(({ entry }) => ledgerEntrySchema.parse(JSON.parse(entry)));
}
const about = async (id: string) =>
  (await entries()).filter((entry) => JSON.stringify(entry).includes(`"${id}"`));

it('tells a run from its request to its end, each fact once', async () => {
  const machine = 'told';
  const id = await accept(queue, { machine });
  const claim = await queue.runs.claim(machine);
  if (claim === undefined) throw new Error('nothing to claim');
  const { fence } = claim;
  const gathering = await move(queue.runs, fence, claim.run, 'gathering');
  const diagnosis = { activations: 1, toolCalls: [], contradictions: [] };
  const starting = await move(queue.runs, fence, gathering, 'starting', { diagnosis, verdict: 'ok' });
  // Sent again after a lost answer.
  await queue.runs.save(starting, 'gathering', fence);
  const stopping = await move(queue.runs, fence, starting, 'stopping');
  await move(queue.runs, fence, stopping, 'done', { inertness: 'inactive' });

  expect(await about(id)).toMatchObject([
    { kind: 'request.accepted', by: { userId: 'U1' }, runs: [{ run: id, machine }] },
    { kind: 'activation.began', machine, fence, activation: 1 },
    { kind: 'activation.ended', machine, activation: 1 },
    { kind: 'run.done', machine, verdict: 'ok', inertness: 'inactive' },
  ]);
});

it('tells a campaign in one entry', async () => {
  const names = ['a', 'b'];
  const campaign = aCampaign('c-led', names);
  const requests = names.map((machine) => aRequest({ machine, campaign: campaign.id, eventId: 'led' }));
  const { runIds } = await queue.requests.accept(requests, noLimits, campaign);
  expect(await about('c-led')).toMatchObject([
    { kind: 'request.accepted', campaign: 'c-led', runs: [{ run: runIds[0] }, { run: runIds[1] }] },
  ]);
});

it('tells who cancelled, once, however often it is asked for', async () => {
  const id = await accept(queue, { machine: 'cancels' });
  for (const userId of ['U7', 'U8']) await queue.requests.cancel(id, { userId, at: 1 });
  expect((await about(id)).slice(1)).toMatchObject([
    { kind: 'run.cancelled', by: 'U7' },
    { kind: 'run.done', verdict: 'cancelled' },
  ]);
});

it('writes a fact that must be told once per value once', async () => {
  const entry: LedgerEntry = {
    ...{ kind: 'policy.changed', at: 1, digest: 'd1', machines: 1, added: [], removed: [], changed: [] },
    accessChanged: false,
  } as const;
  const told = await Promise.all(
    ['d1', 'd1', 'd1'].map((digest) => queue.ledger.appendOnce('policy', digest, entry)),
  );
  expect(told.filter(Boolean)).toHaveLength(1);
  expect(await queue.ledger.appendOnce('policy', 'd2', entry)).toBe(true);
});

it('counts its entries without a gap, and hands them out in pieces', async () => {
  const all = await queue.ledger.read('', 10_000);
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_entry, index) => index + 1));
  expect(await queue.ledger.read(all[1]?.position ?? '', 2)).toEqual(all.slice(1, 3));
});

it('keeps what an exporter lacks, and no more than it must', async () => {
  const now = { ms: 1_000_000 };
  await using small = await openQueue(
    redis.url,
    { prefix: '{small}', ledgerEntriesKept: 100, exporterForgottenMs: 1_000 },
    () => now.ms,
  );
  const fill = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, (_, n) => accept(small, { machine: `m${n}` })));
  };
  await fill(10);
  await small.ledger.exported('one', 10);
  await fill(400);
  // Redis trims whole nodes of a stream: about 100 entries more may stay.
  await small.ledger.trim();
  expect(await small.ledger.state()).toEqual({ entries: 410, unexported: 400 });
  await small.ledger.exported('one', 410);
  await small.ledger.trim();
  expect((await small.ledger.state()).entries).toBeLessThan(250);

  await fill(1);
  now.ms += 1_001;
  expect(await small.ledger.trim()).toEqual(['one']);
  expect(await small.ledger.state()).toMatchObject({ unexported: 0 });
});
