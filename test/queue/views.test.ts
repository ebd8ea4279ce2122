import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Queue } from '../../src/queue/create-queue.ts';
import { noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { aCampaign, accept, aRequest, move, openQueue } from './support.ts';

let redis: TestRedis;
let queue: Queue;
let prefixes = 0;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis?.stop();
});
beforeEach(async () => {
  prefixes += 1;
  queue = await openQueue(redis.url, { prefix: `{views${prefixes}}`, viewLeaseMs: 10_000 });
  return queue.close;
});

async function claim(machine: string) {
  const claimed = await queue.runs.claim(machine);
  if (claimed === undefined) throw new Error('nothing to claim');
  return claimed;
}

async function takeOne() {
  const [view] = await queue.views.take(1);
  if (view === undefined) throw new Error('no view is dirty');
  return view;
}

describe('dirty views', () => {
  it('come verdicts first, oldest first among equals', async () => {
    const ids: string[] = [];
    let now = 1_000;
    await using slow = await openQueue(redis.url, { prefix: `{views${prefixes}}` }, () => (now += 1));
    for (const machine of ['a', 'b', 'c']) ids.push(await accept(slow, { machine }));
    const { fence, run } = await claim('c');
    const gathering = await move(slow.runs, fence, run, 'gathering');
    await move(slow.runs, fence, gathering, 'starting', { verdict: 'warning' });

    const views = await queue.views.take(10);
    expect(views.map((view) => [view.kind, view.id, view.priority])).toEqual([
      ['run', ids[2], 'verdict'],
      ['run', ids[0], 'progress'],
      ['run', ids[1], 'progress'],
    ]);
  });

  it('are leased to one process at a time', async () => {
    for (const machine of ['a', 'b', 'c']) await accept(queue, { machine });
    const leased = (await Promise.all([queue.views.take(2), queue.views.take(2)])).flat();
    expect(new Set(leased.map((view) => view.id)).size).toBe(3);
    expect(await queue.views.take(5)).toEqual([]);
  });

  it('are clean after release', async () => {
    await accept(queue);
    await queue.views.release(await takeOne());
    expect(await queue.views.take(1)).toEqual([]);
  });

  it('stay dirty when the record changed during the lease', async () => {
    const id = await accept(queue);
    const view = await takeOne();
    const { fence, run } = await claim('web-01');
    await move(queue.runs, fence, run, 'gathering');
    expect(await queue.views.take(1)).toEqual([]);
    await queue.views.release(view);
    expect(await takeOne()).toMatchObject({ id, priority: 'progress' });
  });

  it('come again when their lease runs out, and the old lease counts no more', async () => {
    await using quick = await openQueue(redis.url, { prefix: `{views${prefixes}}`, viewLeaseMs: 30 });
    const id = await accept(queue);
    const [lost] = await quick.views.take(1);
    await expect.poll(() => queue.views.take(1)).toMatchObject([{ id }]);
    if (lost) await queue.views.release(lost);
    if (lost) await queue.views.postpone(lost, 0);
    expect(await queue.views.take(1)).toEqual([]);
  });

  it('come again after a postponement, not before, also when the record changes', async () => {
    const id = await accept(queue);
    const view = await takeOne();
    const postponedAt = Date.now();
    await queue.views.postpone(view, 300);
    const { fence, run } = await claim('web-01');
    await move(queue.runs, fence, run, 'done', { verdict: 'failed' });
    await queue.views.release(view);
    await expect.poll(() => queue.views.take(1)).toMatchObject([{ id, priority: 'verdict' }]);
    expect(Date.now() - postponedAt).toBeGreaterThanOrEqual(299);
  });

  it('are one for a whole campaign', async () => {
    const names = ['a', 'b'];
    const campaign = aCampaign('c-1', names);
    await queue.requests.accept(
      names.map((machine) => aRequest({ machine, campaign: campaign.id })),
      noLimits,
      campaign,
    );
    const { fence, run } = await claim('a');
    await move(queue.runs, fence, run, 'done', { verdict: 'failed' });
    expect(await queue.views.take(5)).toMatchObject([{ kind: 'campaign', id: 'c-1', priority: 'verdict' }]);
  });
});

describe('parts', () => {
  it('tell what is intended and what stands in Slack', async () => {
    const posted = { channel: 'C01', ts: '1.2', digest: 'abc' };
    await queue.views.intend('r-1', 'main', 11);
    await queue.views.intend('r-1', 'file:df', 12);
    await queue.views.record('r-1', 'main', posted);
    expect(await queue.views.parts('r-1')).toEqual({
      main: { intended: 11, posted },
      'file:df': { intended: 12 },
    });
    expect(await queue.views.parts('r-2')).toEqual({});
  });
});
