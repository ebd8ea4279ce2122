import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPublisher, type Publisher } from '../../../src/bot/publisher/create-publisher.ts';
import { createPublisherClient } from '../../../src/bot/publisher/create-publisher-client.ts';
import { createThreads } from '../../../src/bot/threads.ts';
import type { Origin } from '../../../src/fleet/request.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { askedRun, kernelRun } from '../../fleet/peer-fixtures.ts';
import { FakeControls } from '../../support/fake-controls.ts';
import { FakeRequests } from '../../support/fake-requests.ts';
import { FakeSlack, fakeBot } from '../../support/fake-workspace.ts';
import { MemoryBudget } from '../../support/memory-budget.ts';
import { MemoryViews } from '../../support/memory-views.ts';
import { diagnosed, judged, sampleCampaign, sampleRun } from '../../support/sample-run.ts';
import { fleetOf, machine } from '../bot-under-test.ts';

const eventually = { timeout: 8_000, interval: 10 };

let slack: FakeSlack;
let views: MemoryViews;
let requests: FakeRequests;
let publisher: Publisher;

beforeEach(async () => {
  slack = await FakeSlack.start();
  views = new MemoryViews({ leaseMs: 60_000 });
  requests = new FakeRequests();
  requests.campaigns.set('c-1', {
    ...sampleCampaign('c-1', ['web-02']),
    origin: { channel: 'C0OPS', under: 'r-1' },
  });
  const controls = new FakeControls();
  const fleet = fleetOf([machine('web-01')], []);
  publisher = createPublisher({
    client: createPublisherClient('xoxb-test', { slackApiUrl: slack.apiUrl }),
    fleet: { current: () => fleet, invalid: () => undefined },
    requests,
    halts: controls.halts,
    handOvers: controls.handOvers,
    threads: { link: async () => undefined },
    silences: controls.silences,
    notices: controls.notices,
    incidents: controls.incidents,
    views,
    budget: new MemoryBudget(),
    linkTo: () => ({ missing: 'no MLflow here' }),
    clock: Date.now,
    log: pino({ level: 'silent' }),
    settings: {
      pollIntervalMs: 5,
      recheckMs: 30,
      settleMs: 20,
      unreachableMs: [10, 40],
      refusedMs: [10, 40],
    },
  });
  publisher.start();
});
afterEach(async () => {
  await publisher.stop();
  await slack.stop();
});

/** The run is as given from now on. */
function put(run: Run): Run {
  const at = requests.stored.findIndex(({ id }) => id === run.id);
  requests.stored.splice(at < 0 ? requests.stored.length : at, 1, run);
  return run;
}

function change(id: string, origin: Origin): Run {
  const run = sampleRun(id, 'done', { ...judged, ...diagnosed });
  views.markDirty('run', id, 'verdict');
  return put({ ...run, request: { ...run.request, origin } });
}

const upToDate = () => expect.poll(() => views.dirtyCount, eventually).toBe(0);
const threadOf = (id: string, part: string) =>
  slack.messages
    .filter((m) => m.user === fakeBot.user_id && m.blocks?.[0]?.block_id === `run:${id}:${part}`)
    .map((m) => m.thread_ts);
const tsOf = (id: string) =>
  slack.messages.find((m) => m.blocks?.[0]?.block_id === `run:${id}:main`)?.ts ?? 'no message';

it('what peers found is one message, edited as they answer, in the thread of the run that asked them', async () => {
  const first = put(kernelRun('r-first', 'web-01'));
  views.markDirty('run', first.id, 'verdict');
  const peer = askedRun('r-peer', 'web-02', { machine: 'web-01', hops: 1 });
  const { requester } = peer.request;
  const origin = { channel: 'C0OPS', under: first.id };
  requests.campaigns.set('c-2', { ...sampleCampaign('c-2', ['web-02']), requester, origin });
  const request = { ...peer.request, origin, campaign: 'c-2' };
  const { verdict: _, ...unjudged } = { ...peer, request, findings: [] };
  put(unjudged);
  views.markDirty('campaign', 'c-2', 'progress');
  await upToDate();
  const reports = () => slack.messages.filter((m) => m.blocks?.[0]?.block_id === 'campaign:c-2:main');
  expect(reports().map((m) => m.thread_ts)).toEqual([tsOf(first.id)]);
  expect(JSON.stringify(reports()[0]?.blocks)).toContain('*web-02* has not answered yet');

  put({ ...peer, request, state: 'done' });
  views.markDirty('campaign', 'c-2', 'verdict');
  await upToDate();
  expect(slack.messages.filter((m) => m.thread_ts === tsOf(first.id))).toHaveLength(2);
  expect(JSON.stringify(reports()[0]?.blocks)).toContain('Of the 1 asked: *web-02* has the same.');
});

describe('what is answered under another record', () => {
  it('waits for its message, and all of it stands in that thread', async () => {
    change('r-2', { channel: 'C0OPS', under: 'r-1' });
    put(sampleRun('r-1', 'queued'));
    await expect.poll(() => views.dirtyCount, eventually).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(slack.messages).toEqual([]);

    change('r-1', { channel: 'C0OPS' });
    await upToDate();
    expect(threadOf('r-1', 'main')).toEqual([undefined]);
    for (const part of ['main', 'verdict', 'diagnosis']) expect(threadOf('r-2', part)).toEqual([tsOf('r-1')]);
  });

  it('stands in the root thread, also where that message is itself an answer in it', async () => {
    const root = slack.say('C0OPS', 'U0MON', 'DiskAlmostFull');
    change('r-1', { channel: 'C0OPS', threadTs: root.ts });
    views.markDirty('campaign', 'c-1', 'verdict');
    change('r-2', { channel: 'C0OPS', under: 'c-1' });
    await upToDate();
    expect(threadOf('r-1', 'main')).toEqual([root.ts]);
    expect(threadOf('r-2', 'main')).toEqual([root.ts]);
    const all = slack.messages.filter((m) => m.user === fakeBot.user_id);
    expect(new Set(all.map((m) => m.thread_ts))).toEqual(new Set([root.ts]));
  });

  it('stands by itself where the record is no longer known', async () => {
    change('r-2', { channel: 'C0OPS', under: 'r-gone' });
    await upToDate();
    expect(threadOf('r-2', 'main')).toEqual([undefined]);
    expect(threadOf('r-2', 'verdict')).toEqual([tsOf('r-2')]);
  });

  it.each(['threadTs', 'under'] as const)(
    'stands by itself, once, where its root (%s) was deleted',
    async (by) => {
      change('r-1', { channel: 'C0OPS' });
      await upToDate();
      const ts = tsOf('r-1');
      for (const message of [...slack.messages]) slack.delete(message.ts);
      change('r-2', { channel: 'C0OPS', ...(by === 'under' ? { under: 'r-1' } : { threadTs: ts }) });
      await upToDate();
      expect(threadOf('r-2', 'main')).toEqual([undefined]);
      change('r-2', { channel: 'C0OPS', ...(by === 'under' ? { under: 'r-1' } : { threadTs: ts }) });
      await upToDate();
      for (const part of ['verdict', 'diagnosis']) expect(threadOf('r-2', part)).toEqual([tsOf('r-2')]);
    },
  );

  it('is not shown where people deleted that message twice', async () => {
    change('r-1', { channel: 'C0OPS' });
    await upToDate();
    for (const state of ['gathering', 'starting'] as const) {
      slack.delete(tsOf('r-1'));
      put(sampleRun('r-1', state));
      views.markDirty('run', 'r-1', 'verdict');
      await upToDate();
    }
    change('r-2', { channel: 'C0OPS', under: 'r-1' });
    await upToDate();
    expect(threadOf('r-2', 'main')).toEqual([]);
  });

  it('is found there by buttons and by the address of its card', async () => {
    change('r-1', { channel: 'C0OPS' });
    const run = change('r-2', { channel: 'C0OPS', under: 'r-1' });
    await upToDate();
    const threads = createThreads({ views, workspaceUrl: () => 'https://acme.slack.com/' });
    expect(await threads.root(run)).toBe(tsOf('r-1'));
    await views.record('r-2', 'approval', { channel: 'C0OPS', ts: '5.5', digest: '', thread: tsOf('r-1') });
    expect(await threads.card(run)).toBe(
      `https://acme.slack.com/archives/C0OPS/p55?thread_ts=${tsOf('r-1')}&cid=C0OPS`,
    );
    const waiting = { ...run, id: 'r-9' };
    expect(await threads.root(waiting)).toBe(tsOf('r-1'));
  });
});
