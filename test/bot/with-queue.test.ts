import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { approveActionId, runAgainActionId } from '../../src/bot/action-ids.ts';
import { approvalButtonsBlockId } from '../../src/bot/views/approval-card.ts';
import { approvalIdOf } from '../../src/fleet/approval.ts';
import { verbs } from '../../src/fleet/fleet.ts';
import { ledgerEntrySchema } from '../../src/fleet/ledger-entry.ts';
import { moveRun } from '../../src/fleet/run.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { sampleApproval } from '../support/sample-question.ts';
import { actions, askingFleet } from './asking-fleet.ts';
import { BotUnderTest, eventually, fleetOf, machine, silent } from './bot-under-test.ts';

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
  const { requests, halts, silences, approvals, ledger } = queue;
  const signerSeen = () => queue.signer.seen();
  await test.start({ requests, halts, silences, approvals, signerSeen, ledger, notices: queue });
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
  await vi.waitFor(() => expect(test.slack.responses).toHaveLength(1), { timeout: 10_000 });
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

describe('a question to people', () => {
  const five = ['UBEN', 'UCID', 'UDAN', 'UEVE', 'UFAY'];

  /** A run of Ann's on calm-01 that waits for people. */
  async function ask(): Promise<string> {
    for (const user of five) test.users.set(user, {});
    test.groups.set('SOPS', five);
    test.groups.set('SDBA', []);
    const calm = machine('calm-01', { actions: [...actions.keys()] });
    test.fleet = { ...askingFleet(), machines: new Map([[calm.name, calm]]) };
    await test.command('run calm-01 vacuum-journal');
    const claim = await queue.runs.claim('calm-01');
    if (claim === undefined) throw new Error('nothing to claim');
    const gathering = await queue.runs.save(
      moveRun(claim.run, 'gathering', test.now),
      claim.run.state,
      claim.fence,
    );
    const approval = sampleApproval(gathering, { askedAt: test.now, rounds: roundOf(Date.now() + 60_000) });
    const awaiting = moveRun(gathering, 'awaiting', test.now, { approval });
    await queue.runs.save(awaiting, 'gathering', claim.fence);
    return claim.run.id;
  }
  const roundOf = (endsAt: number) => {
    const end = Math.max(endsAt, test.now + 60_000);
    return [{ mention: ['SOPS'], remindAt: end - 1, endsAt: end }];
  };
  const told = () => test.slack.responses.map(({ text }) => String(text));
  /** Clicks Approve on the card of the run. */
  const approve = async (runId: string, user: string) => {
    const question = (await queue.requests.run(runId))?.approval?.question;
    if (question === undefined) throw new Error('the run asks nothing');
    return test.click(approveActionId, question.id, user, approvalButtonsBlockId(question));
  };

  it('is decided once however many click at once, and is in the ledger once', async () => {
    const runId = await ask();
    await Promise.all(five.map((user) => approve(runId, user)));
    await eventually(() => expect(told()).toHaveLength(5));
    expect(told().filter((text) => text.includes('Your approval counts'))).toHaveLength(1);
    expect(told().filter((text) => text.includes('Too late: this is decided already'))).toHaveLength(4);
    const run = await queue.requests.run(runId);
    expect(run).toMatchObject({ state: 'approved', approval: { state: 'approved', votes: { length: 1 } } });
    const dirty = await queue.views.take(100);
    expect(dirty.find(({ id }) => id === runId)).toMatchObject({ kind: 'run', priority: 'decision' });
    const entries = (await queue.ledger.read('', 1_000)).map(({ entry }) =>
      ledgerEntrySchema.parse(JSON.parse(entry)),
    );
    const about = entries.filter((entry) => 'approval' in entry && entry.approval === approvalIdOf(runId));
    expect(about.map(({ kind }) => kind)).toEqual(['approval.asked', 'approval.decided', 'approval.settled']);
    const claim = await queue.runs.claim('calm-01');
    if (claim === undefined) throw new Error('nothing to claim');
    expect(claim.run).toMatchObject({ id: runId, state: 'approved' });
    await queue.runs.save(moveRun(claim.run, 'done', test.now), 'approved', claim.fence);
  });

  it('that is cancelled is withdrawn, and nobody decides it any more', async () => {
    const runId = await ask();
    expect((await test.command(`cancel ${runId}`)).text).toContain('what it asked for does not happen');
    await approve(runId, 'UBEN');
    await eventually(() => expect(told()).toHaveLength(1));
    expect(told()[0]).toContain('Too late');
    expect(await queue.requests.run(runId)).toMatchObject({
      state: 'done',
      approval: { state: 'cancelled', votes: [] },
    });
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
