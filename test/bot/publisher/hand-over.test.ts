import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeActionId } from '../../../src/bot/action-ids.ts';
import { createPublisher, type Publisher } from '../../../src/bot/publisher/create-publisher.ts';
import { createPublisherClient } from '../../../src/bot/publisher/create-publisher-client.ts';
import { createThreads } from '../../../src/bot/threads.ts';
import type { HandOver } from '../../../src/fleet/hand-over.ts';
import { FakeControls } from '../../support/fake-controls.ts';
import { FakeRequests } from '../../support/fake-requests.ts';
import { FakeSlack, fakeBot } from '../../support/fake-workspace.ts';
import { MemoryBudget } from '../../support/memory-budget.ts';
import { MemoryViews } from '../../support/memory-views.ts';
import { escalatingRun, everyTarget, sampleHandOver } from '../../support/sample-hand-over.ts';
import { askedAt } from '../../support/sample-question.ts';
import { fleetOf, machine } from '../bot-under-test.ts';

const runId = 'r-00000000aaaa';
const patienceMs = 600_000;
const eva = { kind: 'person', userId: 'U0EVA', teamId: 'T0TEAM' } as const;
const quick = {
  pollIntervalMs: 5,
  settleMs: 20,
  recheckMs: 20,
  refusedMs: [5, 20] as const,
  unreachableMs: [5, 20] as const,
};

let slack: FakeSlack;
let views: MemoryViews;
let controls: FakeControls;
let requests: FakeRequests;
let publisher: Publisher;
/** The message of the run. */
let root: string;

beforeEach(async () => {
  slack = await FakeSlack.start();
  views = new MemoryViews({ leaseMs: 60_000 });
  controls = new FakeControls();
  requests = new FakeRequests();
  requests.stored.push(escalatingRun(runId));
  root = slack.say('C0OPS', fakeBot.user_id, 'critical').ts;
  await views.record(runId, 'main', { channel: 'C0OPS', ts: root, digest: '', thread: root });
  publisher = createPublisher({
    ...{ ...controls, requests, views },
    client: createPublisherClient('xoxb-test', { slackApiUrl: slack.apiUrl }),
    fleet: { current: () => fleetOf([machine('web-01')], []), invalid: () => undefined },
    threads: createThreads({ views, workspaceUrl: () => fakeBot.url }),
    budget: new MemoryBudget(),
    linkTo: () => ({ missing: 'no MLflow here' }),
    clock: Date.now,
    log: pino({ level: 'silent' }),
    settings: quick,
  });
  publisher.start();
});
afterEach(async () => {
  await publisher.stop();
  await slack.stop();
});

/** Brings Slack up to date with the hand-over. */
async function show(changes: Partial<HandOver>): Promise<void> {
  const handOver = sampleHandOver(changes);
  controls.handOvers.add(handOver);
  views.markDirty('hand-over', handOver.id, 'decision');
  await expect.poll(() => views.dirtyCount, { timeout: 8_000, interval: 10 }).toBe(0);
}

const called = (...targets: number[]): Partial<HandOver> => ({
  calls: targets.map((target) => ({ target, at: askedAt })),
  nextAt: askedAt + patienceMs,
});
const taken = { state: 'taken', takenBy: { by: eva, at: askedAt } } as const;
const part = (name: string) =>
  slack.messages.filter((message) =>
    message.blocks?.some(({ block_id }) => block_id === `hand-over:o-00000000aaaa:${name}`),
  );
const textOf = (name: string) =>
  part(name)
    .map(({ blocks }) => JSON.stringify(blocks))
    .join();

describe('a hand-over', () => {
  it('stands in the thread of its run, with the button, and calls nobody before their turn', async () => {
    await show({});
    expect(part('main')).toMatchObject([{ channel: 'C0OPS', thread_ts: root }]);
    expect(textOf('main')).toContain('*Calling on-call*');
    expect(textOf('main')).toContain(takeActionId);
    expect(textOf('main')).toContain(
      '1. `U0EVA`: not called yet\\n2. <#C0CALL>: not called yet\\n3. pager `primary`',
    );
    expect(JSON.stringify(slack.messages)).not.toContain('<@U0EVA>');
  });

  it('calls each one with a message of their own, once', async () => {
    await show(called(0));
    await show(called(0));
    expect(part('call:0')).toMatchObject([{ channel: 'C0OPS', thread_ts: root }]);
    expect(part('call:0')[0]?.text).toBe(
      ':rotating_light: Escalated to <@U0EVA>: *web-01*. /var is 93% full (people agreed to escalate it)',
    );
    expect(textOf('main')).toContain('1. <@U0EVA>: called at');
    expect(textOf('main')).toContain('has until 2026-11-22 10:10:10 UTC to take it');
  });

  it('that a silence held back says so and calls nobody; somebody may have it all the same', async () => {
    const silenced = { reason: 'silenced until noon: new kernel', by: eva, at: askedAt };
    await show({ because: 'expired', state: 'silenced', silenced });
    expect(textOf('main')).toContain(
      ':mute: *Not handed over*: silenced until noon: new kernel · by <@U0EVA>',
    );
    expect(textOf('main')).toContain(takeActionId);
    expect(part('call:0')).toEqual([]);
    await show({ because: 'expired', silenced, ...taken });
    expect(textOf('main')).toContain('*<@U0EVA> has it*');
  });

  it('calls a channel in that channel, with the address of the thread', async () => {
    await show(called(0, 1));
    const [message] = part('call:1');
    expect(message?.channel).toBe('C0CALL');
    expect(message?.thread_ts).toBeUndefined();
    const address = `https://acme.slack.com/archives/C0OPS/p${root.replace('.', '')}`;
    expect(textOf('call:1')).toContain(`<${address}|in its thread>`);
    expect(textOf('call:1')).toContain(takeActionId);
  });

  it.each([
    ['does not stand', () => views.stored.clear()],
    ['cannot be answered in any more', () => slack.setMember('C0OPS', false)],
  ])('calls a channel once also where the thread of its run %s', async (_why, lose) => {
    lose();
    controls.handOvers.add(sampleHandOver(called(0, 1)));
    views.markDirty('hand-over', 'o-00000000aaaa', 'decision');
    await expect.poll(() => part('call:1').length).toBe(1);
    controls.handOvers.add(sampleHandOver({ ...called(0, 1), ...taken }));
    views.markDirty('hand-over', 'o-00000000aaaa', 'decision');
    await expect.poll(() => textOf('call:1')).toContain('*<@U0EVA> has it*');
    expect(part('call:1')).toHaveLength(1);
    expect(part('call:0')).toEqual([]);
  });

  it('that somebody takes loses its buttons everywhere, and says who has it', async () => {
    await show(called(0, 1));
    const before = slack.messages.length;
    await show({ ...called(0, 1), ...taken });
    for (const name of ['main', 'call:0', 'call:1']) {
      expect(textOf(name)).toContain('*<@U0EVA> has it* since 2026-11-22 10:00:10 UTC');
      expect(textOf(name)).not.toContain(takeActionId);
    }
    expect(slack.messages).toHaveLength(before);
  });

  it('calls nobody late whose call could not be posted before somebody took it', async () => {
    slack.setMember('C0CALL', false);
    const handOver = sampleHandOver(called(0, 1));
    controls.handOvers.add(handOver);
    views.markDirty('hand-over', handOver.id, 'decision');
    await expect.poll(() => part('call:0').length).toBe(1);
    await show({ ...called(0, 1), ...taken });
    slack.setMember('C0CALL', true);
    expect(part('call:1')).toEqual([]);
    expect(textOf('main')).toContain('has it');
  });

  it('says nothing in a channel of which it is known that it cannot, and tells so', async () => {
    await show({ calls: [0, 1].map((target) => ({ target, at: askedAt, problem: 'It is archived.' })) });
    expect([...part('call:0'), ...part('call:1')]).toEqual([]);
    expect(textOf('main')).toContain('not reached at 2026-11-22 10:00:10 UTC: It is archived.');
  });

  it('tells what became of pagers, and calls none in Slack', async () => {
    const problem = 'Pager primary answered 503.';
    await show({
      calls: [0, 1, 2].map((target) => ({ target, at: askedAt, ...(target === 2 && { problem }) })),
    });
    expect(textOf('main')).toContain('not reached at 2026-11-22 10:00:10 UTC: Pager primary answered 503.');
    expect(part('call:2')).toEqual([]);
    await show({
      calls: [{ target: 0, at: askedAt, delivered: true }],
      targets: ['pager:primary'],
      state: 'delivered',
    });
    expect(textOf('main')).toContain('*A pager took it*');
    expect(textOf('main')).toContain(takeActionId);
  });

  it('that nobody takes is said loudly, to everybody who was called', async () => {
    const targets = [...everyTarget, 'U0EVA'];
    await show({ ...called(0, 1, 3), targets, state: 'nobody' });
    expect(part('nobody')).toMatchObject([{ channel: 'C0OPS', thread_ts: root }]);
    expect(part('nobody')[0]?.text).toContain('<@U0EVA> <!subteam^S0LEADS> *NOBODY HAS IT*: *web-01*');
    await show({ ...called(0, 1, 3), ...taken });
    expect(textOf('nobody')).toContain('*<@U0EVA> has it*');
  });

  it('stands in the channel where the thread of its run is not wanted', async () => {
    await views.record(runId, 'main', { channel: 'C0OPS', ts: '', digest: '' });
    await show(called(0));
    expect(part('main')[0]?.thread_ts).toBeUndefined();
    expect(part('call:0')).toMatchObject([{ channel: 'C0OPS', thread_ts: part('main')[0]?.ts }]);
  });

  it('is found again where the answer to its call was lost: it calls once', async () => {
    await show({});
    slack.trouble('chat.postMessage', { kind: 'lost-answer' }, { channel: 'C0CALL' });
    await show(called(0, 1));
    expect(part('call:1')).toHaveLength(1);
  });
});
