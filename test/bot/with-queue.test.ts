import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runAgainActionId } from '../../src/bot/action-ids.ts';
import { verbs } from '../../src/fleet/fleet.ts';
import { ledgerEntrySchema } from '../../src/fleet/ledger-entry.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { BotUnderTest, fleetOf, machine, silent } from './bot-under-test.ts';

/** The bot in front of the real store. */
const test = new BotUnderTest();
let redis: TestRedis;
let queue: Queue;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await createQueue({
    redisUrl: redis.url,
    log: silent,
    settings: { requestTimeoutMs: 500 },
    fleet: () => test.fleet,
  });
  const { requests, halts, ledger } = queue;
  await test.start({ requests, halts, ledger, notices: queue });
});
beforeEach(() => test.reset());

afterAll(async () => {
  await test.stop();
  await queue.close();
  await redis.stop();
});

const runsOf = (machine: string) => queue.requests.runs({ machine, limit: 10 });

it('a command that Slack delivers twice is stored once', async () => {
  const acks = await Promise.all([
    test.command('check web-01 disk', { trigger: 'same' }),
    test.command('check web-01 disk', { trigger: 'same' }),
  ]);
  expect(acks).toEqual([
    { status: 200, text: '' },
    { status: 200, text: '' },
  ]);
  expect(await runsOf('web-01')).toHaveLength(1);
});

it('a campaign that Slack delivers twice is stored once', async () => {
  await test.command('ask web-0* "all well?"', { trigger: 'campaign' });
  await test.command('ask web-0* "all well?"', { trigger: 'campaign' });
  const [run] = await runsOf('web-02');
  expect(await runsOf('web-02')).toHaveLength(1);
  const campaign = await queue.requests.campaign(run?.request.campaign ?? '');
  expect(campaign?.members.map((member) => member.machine).toSorted()).toEqual(['web-01', 'web-02']);
});

it('a double click is one run', async () => {
  await test.command('check db-01 disk');
  const [run] = await runsOf('db-01');
  const id = run?.id ?? '';
  await Promise.all([test.click(runAgainActionId, id), test.click(runAgainActionId, id)]);
  await vi.waitFor(() => expect(test.slack.responses).toHaveLength(1));
  expect(test.slack.responses[0]?.text).toContain('began a moment ago');
  expect(await runsOf('db-01')).toHaveLength(2);
});

describe('a halt', () => {
  const access = fleetOf([], [{ people: ['UANN', 'UBEN'], verbs: [...verbs], twoPeople: ['resume'] }]).access;
  const kinds = async () => {
    const entries = await queue.ledger.read('', 1_000);
    return entries.map(({ entry }) => ledgerEntrySchema.parse(JSON.parse(entry)).kind);
  };
  const only = async () => {
    const [halt, ...others] = await queue.halts.active();
    if (halt === undefined || others.length > 0) throw new Error('not one halt');
    return halt;
  };

  it('that Slack delivers twice is one, and waits for two people to be lifted', async () => {
    test.fleet = { ...test.fleet, access };
    for (const _delivery of [1, 2]) await test.command('halt db-* bad deploy', { trigger: 'halt' });
    const { id } = await only();
    expect((await test.command('check db-01 disk')).text).toContain('`db-01` is halted by <@UANN>');
    const dirty = await queue.views.take(100);
    expect(dirty.find((view) => view.kind === 'halt')).toMatchObject({ id, priority: 'decision' });

    await test.command('resume', { trigger: 'first' });
    expect(await only()).toMatchObject({ releases: [], resumeWish: { by: { userId: 'UANN' } } });
    for (const _delivery of [1, 2]) await test.command('resume', { user: 'UBEN', trigger: 'second' });
    const after = await queue.halts.halt(id);
    expect(after?.halt.releases).toMatchObject([{ by: { userId: 'UANN' }, agreedBy: { userId: 'UBEN' } }]);
    expect((await kinds()).filter((kind) => kind.startsWith('halt.'))).toEqual([
      'halt.began',
      'halt.resume-asked',
      'halt.released',
    ]);
    expect(await test.command('check db-01 disk')).toEqual({ status: 200, text: '' });
  });

  it('is not taken for stored when Redis is gone', async () => {
    test.fleet = { ...test.fleet, access };
    await redis.kill();
    expect((await test.command('halt all bad deploy')).text).toContain('NOT halted');
    await redis.restart();
    await vi.waitFor(async () => expect(await queue.ready()).toBe(true), 5_000);
  });
});

it('machines over their limit are left out of a campaign, and named', async () => {
  const busy = machine('busy-01');
  const free = machine('busy-02');
  test.fleet = fleetOf(
    [{ ...busy, limits: { ...busy.limits, maxWaiting: 1 } }, free],
    [{ people: ['UANN'] }],
  );
  await test.command('check busy-01 disk');
  const ack = await test.command('check busy-* disk');
  expect(ack.text).toContain('Left out: `busy-01`.');
  expect(await runsOf('busy-02')).toHaveLength(1);
  expect((await test.command('check busy-01 disk')).text).toContain('busy-01');
  expect(await runsOf('busy-01')).toHaveLength(1);
  expect(test.controls.counted.filter((line) => line.startsWith('limited'))).toEqual([
    'limited waiting',
    'limited waiting',
  ]);
});

it('the person is told when Redis is gone', async () => {
  await redis.kill();
  const ack = await test.command('check web-01 disk');
  expect(ack.text).toContain('not certain that this was recorded');
  await redis.restart();
});
