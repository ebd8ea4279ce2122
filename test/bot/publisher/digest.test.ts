import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createPublisher, type Publisher } from '../../../src/bot/publisher/create-publisher.ts';
import { createPublisherClient } from '../../../src/bot/publisher/create-publisher-client.ts';
import type { Run, RunState } from '../../../src/fleet/run.ts';
import { FakeControls } from '../../support/fake-controls.ts';
import { FakeRequests } from '../../support/fake-requests.ts';
import { FakeSlack, fakeBot } from '../../support/fake-workspace.ts';
import { MemoryBudget } from '../../support/memory-budget.ts';
import { MemoryViews } from '../../support/memory-views.ts';
import { sampleHalt } from '../../support/sample-halt.ts';
import { judged, sampleCampaign, sampleRun } from '../../support/sample-run.ts';
import { fleetOf, machine } from '../bot-under-test.ts';

let slack: FakeSlack;
const views = new MemoryViews({ leaseMs: 60_000 });
const requests = new FakeRequests();
const controls = new FakeControls();
let publisher: Publisher;

beforeAll(async () => {
  slack = await FakeSlack.start();
  const fleet = fleetOf([machine('web-01'), machine('web-02')], []);
  publisher = createPublisher({
    client: createPublisherClient('xoxb-test', { slackApiUrl: slack.apiUrl }),
    fleet: { current: () => fleet, invalid: () => undefined },
    requests,
    ...controls,
    threads: { link: async () => undefined },
    views,
    budget: new MemoryBudget(),
    linkTo: () => ({ missing: 'no MLflow here' }),
    clock: Date.now,
    log: pino({ level: 'silent' }),
    settings: { pollIntervalMs: 5, progressIntervalMs: 10, settleMs: 20 },
  });
  publisher.start();
});
afterAll(async () => {
  await publisher.stop();
  await slack.stop();
});
beforeEach(() => {
  requests.stored.length = 0;
  requests.campaigns.clear();
});

/** The campaign of a schedule as it is from now on: what its runs are at, by machine. */
async function put(
  id: string,
  states: Readonly<Record<string, RunState>>,
  previous?: string,
  more: Partial<Run> = judged,
): Promise<void> {
  const requester = { kind: 'schedule', schedule: 'nightly' } as const;
  const machines = Object.keys(states);
  requests.campaigns.set(id, {
    ...sampleCampaign(id, machines),
    requester,
    ...(previous !== undefined && { previous }),
  });
  const others = requests.stored.filter(({ request }) => request.campaign !== id);
  const runs = Object.entries(states).map(([name, state]) => {
    const isJudged = state === 'done' || state === 'awaiting';
    const run = sampleRun(`${id}-${name}`, state, isJudged ? more : {});
    return { ...run, request: { ...run.request, machine: name, campaign: id, requester } };
  });
  requests.stored.splice(0, requests.stored.length, ...others, ...runs);
  views.markDirty('campaign', id, 'progress');
  await expect.poll(() => views.dirtyCount, { timeout: 8_000, interval: 5 }).toBe(0);
}

const posted = (id: string) =>
  slack.messages.filter(
    (m) => m.user === fakeBot.user_id && m.blocks?.some((block) => block.block_id === `campaign:${id}:main`),
  );

it('a digest is posted when all machines are done, and tells what changed since the one before', async () => {
  await put('c-1', { 'web-01': 'queued', 'web-02': 'done' });
  expect(posted('c-1')).toEqual([]);
  await put('c-1', { 'web-01': 'done', 'web-02': 'done' });
  expect(JSON.stringify(posted('c-1'))).toContain('nothing to compare with yet');
  await put('c-2', { 'web-01': 'done' }, 'c-1');
  expect(JSON.stringify(posted('c-2'))).toContain('*critical* → not part of it: *web-02*');
});

it('a digest is posted where people are asked, whatever is not done yet: their card is in its thread', async () => {
  await put('c-3', { 'web-01': 'awaiting', 'web-02': 'gathering' });
  expect(posted('c-3')).toHaveLength(1);
});

it('a digest does not wait for machines that are halted', async () => {
  const halt = sampleHalt({ selector: 'web-01' });
  controls.halts.stored.set(halt.id, { halt, members: new Map() });
  await put('c-6', { 'web-01': 'gathering', 'web-02': 'done' });
  expect(posted('c-6')).toEqual([]);
  await put('c-6', { 'web-01': 'queued', 'web-02': 'done' });
  controls.halts.reset();
  expect(JSON.stringify(posted('c-6'))).toContain('queued, but `web-01` is halted');
});

it('a campaign whose machines wait for their wave says so where all of them are halted', async () => {
  const told = async (id: string, handedIn: number) => {
    requests.campaigns.set(id, { ...sampleCampaign(id, ['web-01', 'web-02']), handedIn });
    views.markDirty('campaign', id, 'progress');
    await expect.poll(() => posted(id).length, { timeout: 8_000, interval: 5 }).toBe(1);
    return JSON.stringify(posted(id));
  };
  const halt = sampleHalt({ selector: 'web-02' });
  controls.halts.stored.set(halt.id, { halt, members: new Map() });
  expect(await told('c-9', 1)).toContain('queued, but `web-02` is halted');
  expect(await told('c-10', 0)).not.toContain('halted');
  controls.halts.reset();
});

it('a quiet digest reads none of its runs', async () => {
  await put('c-7', { 'web-01': 'done', 'web-02': 'done' }, undefined, { verdict: 'ok' });
  const read = vi.spyOn(requests, 'run');
  await put('c-8', { 'web-01': 'done', 'web-02': 'done' }, 'c-7', { verdict: 'ok' });
  expect(JSON.stringify(posted('c-8'))).toContain('no change since');
  expect(read).not.toHaveBeenCalled();
});

it('that nobody was asked is told once', async () => {
  await put('c-4', {});
  await put('c-5', {}, 'c-4');
  expect([posted('c-4').length, posted('c-5').length]).toEqual([1, 0]);
});
