import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Queue } from '../../src/queue/create-queue.ts';
import { noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { aCampaign, accept, aRequest, finish, move, openQueue } from './support.ts';

let redis: TestRedis;
let queue: Queue;
let machines = 0;
let machine: string;
const cancellation = { userId: 'U2', at: 1_790_000_001_000 };

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url, { finishedRunsPerMachine: 3 });
});
afterAll(async () => {
  await queue?.close();
  await redis?.stop();
});
beforeEach(() => {
  machines += 1;
  machine = `machine-${machines}`;
});

describe('accepting', () => {
  it('makes a queued run with ids of its own', async () => {
    const request = aRequest({ machine });
    const { duplicate, runIds } = await queue.requests.accept([request], noLimits);
    expect(duplicate).toBe(false);
    const run = await queue.requests.run(runIds[0] ?? '');
    expect(run).toMatchObject({ request, state: 'queued', findings: [], inertness: 'never-started' });
    expect(run?.id).toMatch(/^r-[0-9a-z]{12}$/);
    expect(run?.trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(run?.trace.rootSpanId).toMatch(/^[0-9a-f]{16}$/);
    expect(await queue.requests.machine(machine)).toEqual({ name: machine, fence: 0, waiting: 1 });
  });

  it('accepts an event id once, also when it comes twice at the same time', async () => {
    const request = aRequest({ machine });
    const answers = await Promise.all([1, 2, 3].map(() => queue.requests.accept([request], noLimits)));
    const later = await queue.requests.accept([request], noLimits);
    expect(answers.filter((answer) => !answer.duplicate)).toHaveLength(1);
    expect(new Set([...answers, later].flatMap((answer) => answer.runIds)).size).toBe(1);
    expect(later.duplicate).toBe(true);
    expect((await queue.requests.machine(machine)).waiting).toBe(1);
  });

  it('stores all requests or none', async () => {
    const known = aRequest({ machine });
    const first = await queue.requests.accept([known], noLimits);
    const fresh = aRequest({ machine });
    expect(await queue.requests.accept([fresh, known], noLimits)).toEqual({
      duplicate: true,
      runIds: first.runIds,
    });
    expect((await queue.requests.machine(machine)).waiting).toBe(1);
    // Nothing of the refused acceptance is remembered.
    expect((await queue.requests.accept([fresh], noLimits)).duplicate).toBe(false);
  });

  it('keeps a campaign with a member for each machine', async () => {
    const names = [`${machine}a`, `${machine}b`];
    const campaign = aCampaign(`c-${machine}`, names);
    const requests = names.map((name) =>
      aRequest({ machine: name, campaign: campaign.id, eventId: machine }),
    );
    const { runIds } = await queue.requests.accept(requests, noLimits, campaign);
    expect(new Set(runIds).size).toBe(2);

    const claim = await queue.runs.claim(`${machine}a`);
    if (claim) await finish(queue.runs, claim);
    const stored = await queue.requests.campaign(campaign.id);
    expect(stored?.campaign).toEqual(campaign);
    expect(stored?.members).toEqual([
      {
        machine: `${machine}a`,
        runId: runIds[0],
        state: 'done',
        verdict: 'ok',
        inertnessUnknown: false,
        alike: '=',
      },
      { machine: `${machine}b`, runId: runIds[1], state: 'queued', inertnessUnknown: false, alike: '' },
    ]);
    expect(await queue.requests.campaign('c-unknown')).toBeUndefined();
  });
});

describe('cancelling', () => {
  it('ends a run that waits', async () => {
    const first = await accept(queue, { machine });
    const second = await accept(queue, { machine });
    expect(await queue.requests.cancel(first, cancellation)).toMatchObject({
      kind: 'cancelled',
      run: { id: first, state: 'done', verdict: 'cancelled', cancellation },
    });
    expect((await queue.runs.claim(machine))?.run.id).toBe(second);
  });

  it.each(['queued', 'gathering', 'starting', 'tasking', 'stopping'] as const)(
    'asks a claimed run to stop in state %s, and its worker learns of it',
    async (state) => {
      const id = await accept(queue, { machine });
      const claim = await queue.runs.claim(machine);
      if (claim === undefined) throw new Error('nothing to claim');
      let run = claim.run;
      for (const next of ['gathering', 'starting', 'tasking', 'stopping'] as const) {
        if (run.state === state) break;
        run = await move(queue.runs, claim.fence, run, next);
      }
      expect(await queue.requests.cancel(id, cancellation)).toMatchObject({
        kind: 'requested',
        run: { state, cancellation },
      });
      // The first one counts.
      await queue.requests.cancel(id, { userId: 'U9', at: 1 });
      const next = state === 'queued' ? 'gathering' : 'done';
      const saved = await queue.runs.save({ ...run, state: next }, state, claim.fence);
      expect(saved.cancellation).toEqual(cancellation);
    },
  );

  it('says that a run is done already, or unknown', async () => {
    const id = await accept(queue, { machine });
    const claim = await queue.runs.claim(machine);
    if (claim) await finish(queue.runs, claim);
    expect(await queue.requests.cancel(id, cancellation)).toMatchObject({
      kind: 'already-done',
      run: { verdict: 'ok' },
    });
    expect(await queue.requests.cancel('r-000000000000', cancellation)).toEqual({ kind: 'unknown-run' });
  });
});

describe('listing', () => {
  it('tells the runs of a machine and of all, newest first', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) ids.unshift(await accept(queue, { machine }));
    const done = await queue.runs.claim(machine);
    if (done) await finish(queue.runs, done);
    await queue.runs.claim(machine);
    const other = await accept(queue, { machine: `${machine}-other` });

    const listed = await queue.requests.runs({ machine, limit: 10 });
    expect(listed.map((run) => run.id)).toEqual(ids);
    const all = await queue.requests.runs({ limit: 3 });
    expect(all.map((run) => run.id)).toEqual([other, ...ids.slice(0, 2)]);
    expect(await queue.requests.machine(machine)).toMatchObject({
      waiting: 2,
      currentRunId: ids[2],
      fence: 2,
    });
  });

  it('keeps only the newest finished runs of a machine, and never drops one that is not finished', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.unshift(await accept(queue, { machine }));
    for (let n = 0; n < 5; n += 1) {
      const claim = await queue.runs.claim(machine);
      if (claim) await finish(queue.runs, claim);
      for (const view of await queue.views.take(10)) await queue.views.release(view);
    }
    const listed = await queue.requests.runs({ machine, limit: 10 });
    expect(listed.map((run) => run.id)).toEqual(ids.slice(0, 4));
    expect(await queue.requests.run(ids[5] ?? '')).toBeUndefined();
  });

  it('keeps a finished run, however old, whose end Slack does not show yet', async () => {
    const id = await accept(queue, { machine });
    for (let n = 0; n < 5; n += 1) await accept(queue, { machine });
    for (let n = 0; n < 6; n += 1) {
      const claim = await queue.runs.claim(machine);
      if (claim) await finish(queue.runs, claim);
    }
    expect(await queue.requests.run(id)).toMatchObject({ state: 'done' });
    for (const view of await queue.views.take(1_000)) await queue.views.release(view);
    expect(await queue.requests.run(id)).toBeUndefined();
  });

  it('forgets records after their time, and event ids when there are newer ones', async () => {
    await using short = await openQueue(redis.url, {
      prefix: `{short}`,
      recordsKeptMs: 50,
      seenEventsKept: 2,
    });
    const request = aRequest({ machine });
    const { runIds } = await short.requests.accept([request], noLimits);
    const claim = await short.runs.claim(machine);
    if (claim) await finish(short.runs, claim);
    await short.views.intend(runIds[0] ?? '', 'main', 1);
    await expect.poll(() => short.requests.run(runIds[0] ?? '')).toBeUndefined();
    await expect.poll(() => short.views.parts(runIds[0] ?? '')).toEqual({});
    await short.requests.accept([aRequest({ machine })], noLimits);
    expect(await short.requests.accept([request], noLimits)).toMatchObject({ duplicate: true });
    await short.requests.accept([aRequest({ machine })], noLimits);
    expect(await short.requests.accept([request], noLimits)).toMatchObject({ duplicate: false });
  });
});

it('a short list of runs reads no more of them than it returns', async () => {
  await queue.requests.accept(
    Array.from({ length: 5 }, () => aRequest({ machine })),
    noLimits,
  );
  const read = vi.spyOn(queue.requests, 'run');
  expect(await queue.requests.runs({ machine, limit: 2 })).toHaveLength(2);
  expect(read).toHaveBeenCalledTimes(2);
  read.mockRestore();
});
