import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { approvalDetailsActionId, approveActionId, denyActionId } from '../../src/bot/action-ids.ts';
import { approvalButtonsBlockId } from '../../src/bot/views/approval-card.ts';
import { type AskingRun, hasAsked } from '../../src/bot/views/approval-words.ts';
import { decisionNamespace, decisionText, questionDigest } from '../../src/fleet/approval.ts';
import { signerOf } from '../../src/fleet/ssh-signature.ts';
import { sampleHalt } from '../support/sample-halt.ts';
import { asking, askingAccess, askingFleet } from './asking-fleet.ts';
import { BotUnderTest, eventually, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
const minute = 60_000;
const card = 'a-00000000aaaa';
const runId = 'r-00000000aaaa';
const five = ['UBEN', 'UCID', 'UDAN', 'UEVE', 'UFAY'];

beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  for (const user of [...five, 'UDBA']) test.users.set(user, {});
  test.groups.set('SOPS', five);
  test.groups.set('SDBA', ['UDBA', 'UBEN']);
  test.fleet = askingFleet();
  ask();
});

/** Puts a question to people, in place of the one before. */
function ask(changes: Parameters<typeof asking>[1] = {}): void {
  test.requests.stored.length = 0;
  test.requests.stored.push(asking(test.now, changes));
}

function stored(): AskingRun {
  const run = test.requests.stored.find(({ id }) => id === runId);
  if (run === undefined || !hasAsked(run)) throw new Error('the run asks nothing');
  return run;
}
/** How the buttons of the card are known, as it stands now. */
const shown = () => approvalButtonsBlockId(stored().approval.question);
const voters = () => stored().approval.votes.map(({ decision }) => `${decision.kind} ${decision.by.userId}`);

/** What people were told so far, once there is so much of it. */
async function told(count = 1): Promise<readonly string[]> {
  await eventually(() => expect(test.slack.responses.length).toBeGreaterThanOrEqual(count));
  return test.slack.responses.map((response) => JSON.stringify(response));
}
const lastTold = async (count = 1) => (await told(count)).at(-1) ?? '';

async function approve(user: string): Promise<string> {
  const before = test.slack.responses.length;
  expect(await test.click(approveActionId, card, user, shown())).toEqual({ status: 200, text: '' });
  return lastTold(before + 1);
}

/** Clicks Deny. @returns the window's id */
async function openWindow(user: string): Promise<string> {
  const before = test.slack.modals.size;
  await test.click(denyActionId, card, user);
  await eventually(() => expect(test.slack.modals.size).toBe(before + 1));
  return [...test.slack.modals.keys()].at(-1) ?? '';
}

function expectUndecided(): void {
  expect(stored()).toMatchObject({ state: 'awaiting', approval: { state: 'waiting', votes: [] } });
}

describe('Approve', () => {
  it('counts who clicked, with the groups that Slack says they are in, signed by the bot', async () => {
    expect(await approve('UBEN')).toContain('Your approval counts. The card tells what follows.');
    const run = stored();
    expect(run).toMatchObject({ state: 'approved', approval: { state: 'approved', settledAt: test.now } });
    const [vote] = run.approval.votes;
    expect(vote?.decision).toEqual({
      approval: card,
      question: questionDigest(run.approval.question),
      kind: 'approve',
      by: { kind: 'person', userId: 'UBEN', teamId: 'T1' },
      groups: ['SOPS', 'SDBA'],
      at: test.now,
      eventId: expect.stringMatching(/^click:/),
    });
    if (vote === undefined || test.decisionKey === undefined) throw new Error('nothing to verify');
    const keys = [createPublicKey(test.decisionKey)];
    expect(signerOf(keys, decisionNamespace, decisionText(vote.decision), vote.signature)).toBe(keys[0]);
  });

  it('clicked by five people at once is one decision, and the others are told who decided when', async () => {
    await Promise.all(five.map((user) => test.click(approveActionId, card, user, shown())));
    const answers = await told(5);
    expect(stored().state).toBe('approved');
    expect(stored().approval.votes).toHaveLength(1);
    const first = stored().approval.votes[0]?.decision.by.userId;
    expect(answers.filter((answer) => answer.includes('Your approval counts'))).toHaveLength(1);
    const late = answers.filter((answer) => answer.includes('Too late: this is decided already'));
    expect(late).toHaveLength(4);
    for (const answer of late)
      expect(answer).toContain(`*approved* by <@${first}> at 2027-01-15 08:00:00 UTC`);
  });

  it('clicked by five people at once, of whom two must agree for different groups, is open or right', async () => {
    ask({ risk: 'destructive', quorum: { approvals: 2, differentGroups: true } });
    await Promise.all(
      ['UCID', 'UDAN', 'UEVE', 'UFAY'].map((user) => test.click(approveActionId, card, user, shown())),
    );
    await told(4);
    expect(stored().state).toBe('awaiting');
    expect(stored().approval.votes).toHaveLength(1);
    expect(await approve('UDBA')).toContain('Your approval counts');
    expect(stored()).toMatchObject({ state: 'approved', approval: { votes: { length: 2 } } });
  });

  it('that completes nothing yet says what is missing', async () => {
    ask({ quorum: { approvals: 2, differentGroups: false } });
    expect(await approve('UCID')).toContain('One more person must approve');
    expect(await approve('UCID')).toContain('You approved it');
    expect(voters()).toEqual(['approve UCID']);
  });

  it.each([
    ['whoever asked for it', 'UANN', 'nobody approves their own'],
    ['a guest', 'UGUS', 'Guests'],
    ['another bot', 'UBOT', 'Bots may not'],
    ['somebody of another organisation', 'USTRANGER', 'other organisations'],
    ['somebody whom Slack does not know', 'UNOBODY', 'Slack could not be asked who you are'],
    ['somebody whom no row gives it', 'UNEW', 'You may not approve web-01'],
  ])('is refused to %s, and the refusal is recorded', async (_who, user, explanation) => {
    if (user === 'UNEW') test.users.set(user, {});
    expect(await approve(user)).toContain(explanation);
    expectUndecided();
    expect(test.controls.counted).toEqual(['denied approve']);
    await eventually(() => expect(test.controls.entries).toHaveLength(1));
    expect(test.controls.entries[0]).toMatchObject({ by: { userId: user }, what: 'approve', target: card });
  });

  it('is refused where Slack cannot be asked who is in the groups', async () => {
    test.slack.trouble('usergroups.users.list', { kind: 'error', code: 'internal_error' }, { times: 2 });
    expect(await approve('UCID')).toContain('nobody counts as a member');
    expectUndecided();
    expect(await approve('UCID')).toContain('Your approval counts');
  });

  it('is refused after the end of the last round, also before the clock has noticed', async () => {
    test.now += 60 * minute;
    expect(await approve('UBEN')).toContain('It expired at');
    expectUndecided();
  });

  it('is refused once the fleet file has taken the right away', async () => {
    test.fleet = askingFleet([{ ...askingAccess[1], upTo: 'reversible', machines: 'db-*' }]);
    expect(await approve('UBEN')).toContain('You may not approve web-01');
    expectUndecided();
  });

  it('is refused where the right does not reach so far', async () => {
    test.fleet = askingFleet([{ ...askingAccess[1], upTo: 'reversible' }]);
    ask({ risk: 'disruptive' });
    expect(await approve('UBEN')).toContain('for disruptive actions');
    expectUndecided();
  });

  it('does not ask Slack about groups on which nothing depends', async () => {
    test.fleet = askingFleet([...askingAccess, { people: ['UNEW'], verbs: ['approve'] }]);
    test.users.set('UNEW', {});
    expect(await approve('UNEW')).toContain('Your approval counts');
    expect(test.slack.callsOf('usergroups.users.list')).toEqual([]);
  });

  it('does not count a person who left the group since their first click', async () => {
    ask({ quorum: { approvals: 2, differentGroups: false } });
    await approve('UCID');
    test.groups.set('SOPS', ['UCID']);
    expect(await approve('UDAN')).toContain('You may not approve');
    expect(voters()).toEqual(['approve UCID']);
  });

  it('is refused while the machine is halted, and says who halted it', async () => {
    const halt = sampleHalt({ selector: 'web-*' });
    test.controls.halts.stored.set(halt.id, { halt, members: new Map() });
    const answer = await approve('UBEN');
    expect(answer).toContain('Resume it first');
    expect(answer).toContain('halted by <@U0ANN>');
    expectUndecided();
  });

  it('of an escalation counts also while the machine is halted: nothing is done there', async () => {
    ask({ subject: { kind: 'escalation', to: ['S0ONCALL'] } });
    const halt = sampleHalt({ selector: 'web-*' });
    test.controls.halts.stored.set(halt.id, { halt, members: new Map() });
    expect(await approve('UBEN')).toContain('Your approval counts');
    expect(stored()).toMatchObject({ state: 'done', approval: { state: 'approved' } });
  });

  it('counts where no signer runs, and says that nothing comes of it without one', async () => {
    ask({ quorum: { approvals: 2, differentGroups: false } });
    expect(await approve('UCID')).not.toContain('signer');
    test.controls.signer = false;
    expect(await approve('UDAN')).toMatch(/Your approval counts.*No signer runs at the moment/);
    expect(stored().state).toBe('approved');
  });

  it('of an escalation needs no signer, and does not depend on what is known of one', async () => {
    test.controls.signer = undefined;
    expect(await approve('UBEN')).toContain('Your approval counts');
    test.controls.signer = false;
    ask({ subject: { kind: 'escalation', to: ['S0ONCALL'] } });
    expect(await approve('UCID')).not.toContain('signer');
  });

  it('attests the groups of somebody whom a row names too, where groups must differ', async () => {
    test.fleet = askingFleet([
      ...askingAccess,
      { people: ['UDBA'], verbs: ['approve'], upTo: 'destructive' },
    ]);
    ask({ risk: 'destructive', quorum: { approvals: 2, differentGroups: true } });
    expect(await approve('UDBA')).toContain('Your approval counts');
    expect(stored().approval.votes[0]?.decision.groups).toEqual(['SDBA']);
  });

  it('is refused where the machine left the fleet file', async () => {
    test.fleet = { ...askingFleet(), machines: new Map([['db-01', machine('db-01')]]) };
    expect(await approve('UBEN')).toContain('no longer in the fleet file');
    expectUndecided();
  });

  it('counts for the question that was on the card, and for none that stands in the record by then', async () => {
    const before = shown();
    ask({ why: 'Something else altogether.' });
    await test.click(approveActionId, card, 'UBEN', before);
    expect(await lastTold()).toContain('shows another question than the record holds');
    expectUndecided();
    expect(await approve('UBEN')).toContain('Your approval counts');
  });

  it('of an id that nobody was asked about changes nothing', async () => {
    for (const value of ['a-zzzzzzzzzzzz', 'r-00000000aaaa', 'approve everything', '']) {
      await test.click(approveActionId, value, 'UBEN');
    }
    const answers = await told(4);
    expect(answers.join()).toContain('no longer known');
    expect(answers.join()).toContain('nothing that fleetbot knows');
    expectUndecided();
  });

  it('tells when the store is away', async () => {
    test.controls.approvals.away = true;
    expect(await approve('UBEN')).toContain('could not reach its store');
  });
});

describe('what is no click of a person', () => {
  const signed = () => test.clickBody(approveActionId, card, 'UBEN', shown());

  it('counts for nothing: a click that Slack did not sign, or signed too long ago', async () => {
    expect((await test.deliver(signed(), 'another-secret')).status).toBe(401);
    expect((await test.deliver(signed(), undefined, { ageSeconds: 301 })).status).toBe(401);
    const body = signed().replace('UBEN', 'UCID');
    expect((await test.deliver(body, '')).status).toBe(401);
    expectUndecided();
  });

  it('counts once: the same signed click, sent twice', async () => {
    ask({ quorum: { approvals: 2, differentGroups: false } });
    const body = signed();
    await Promise.all([test.deliver(body), test.deliver(body)]);
    await told(2);
    await test.deliver(body);
    const answers = await told(3);
    expect(voters()).toEqual(['approve UBEN']);
    expect(stored().state).toBe('awaiting');
    for (const answer of answers) expect(answer).toContain('Your approval counts');
  });

  it.each([
    ['a person', { user: 'UBEN', text: `approve ${card}` }],
    ['another bot', { bot_id: 'B0EVIL', subtype: 'bot_message', text: `Approved by <@UBEN> ${card}` }],
  ])('counts for nothing: the words of %s in the channel', async (_who, message) => {
    const event = { type: 'message', channel: 'C1', ts: '1.1', event_ts: '1.1', ...message };
    const body = { type: 'event_callback', team_id: 'T1', api_app_id: 'A1', event_id: 'E1', event };
    await test.deliver(JSON.stringify(body), undefined, { type: 'application/json' });
    for (const text of [`approve ${card}`, `Approve ${card}`]) {
      expect((await test.command(text, { user: 'UBEN' })).text).toContain('There is no command');
    }
    expectUndecided();
  });
});

describe('Deny', () => {
  it('asks why in a window that carries nothing but the id, and counts with the reason', async () => {
    const window = await openWindow('UBEN');
    expect(test.slack.modals.get(window)).toMatchObject({ private_metadata: card, type: 'modal' });
    expectUndecided();
    const ack = await test.submit(window, 'not during\nthe backup', 'UBEN');
    expect(ack.text).toContain('"response_action":"update"');
    expect(ack.text).toContain('Your denial counts');
    expect(stored()).toMatchObject({ state: 'done', approval: { state: 'denied' } });
    expect(stored().approval.votes[0]?.decision).toMatchObject({
      kind: 'deny',
      by: { userId: 'UBEN' },
      reason: 'not during the backup',
      eventId: `window:${window}`,
    });
    expect(test.finishedTraces).toEqual([runId]);
  });

  it('keeps no secret of the reason', async () => {
    await test.submit(await openWindow('UBEN'), 'the password=hunter2hunter2 is wrong', 'UBEN');
    expect(stored().approval.votes[0]?.decision.reason).toBe('the password=[redacted:password] is wrong');
  });

  it.each(['', 'no', ' \n \u200b '])('wants a reason: %j is none', async (reason) => {
    const ack = await test.submit(await openWindow('UBEN'), reason, 'UBEN');
    expect(JSON.parse(ack.text)).toMatchObject({ response_action: 'errors', errors: { reason: /Say why/ } });
    expectUndecided();
  });

  it('cuts a reason that is longer than the window takes', async () => {
    await test.submit(await openWindow('UBEN'), 'x'.repeat(4_000), 'UBEN');
    expect(stored().approval.votes[0]?.decision.reason).toHaveLength(300);
  });

  it('works on a machine that is halted, and for whoever asked: they withdraw it', async () => {
    const halt = sampleHalt();
    test.controls.halts.stored.set(halt.id, { halt, members: new Map() });
    await test.submit(await openWindow('UANN'), 'changed my mind', 'UANN');
    expect(stored()).toMatchObject({ state: 'done', approval: { state: 'denied' } });
  });

  it('of whoever approved takes the place of the approval, while it is open', async () => {
    ask({ quorum: { approvals: 2, differentGroups: false } });
    await approve('UCID');
    await test.submit(await openWindow('UCID'), 'on second thought', 'UCID');
    expect(voters()).toEqual(['deny UCID']);
    expect(stored().state).toBe('done');
  });

  it.each([
    ['a guest', 'UGUS', 'Guests'],
    ['somebody whom no row gives it', 'UNEW', 'You may not deny this on web-01'],
  ])('is refused to %s at the click, without a window', async (_who, user, explanation) => {
    if (user === 'UNEW') test.users.set(user, {});
    await test.click(denyActionId, card, user);
    expect(await lastTold()).toContain(explanation);
    expect(test.slack.modals.size).toBe(0);
    expectUndecided();
    await eventually(() => expect(test.controls.entries).toHaveLength(1));
  });

  it('is refused at the submission to whoever lost the right since the click', async () => {
    const window = await openWindow('UCID');
    test.groups.set('SOPS', []);
    const ack = await test.submit(window, 'because I could', 'UCID');
    expect(ack.text).toContain('You may not deny this on web-01');
    expectUndecided();
    await eventually(() => expect(test.controls.entries).toHaveLength(1));
  });

  it('opens the window all the same where Slack is slow to say who clicked', async () => {
    test.slack.trouble('users.info', { kind: 'silence' });
    await test.submit(await openWindow('UBEN'), 'not now', 'UBEN');
    expect(voters()).toEqual(['deny UBEN']);
  });

  it('opens no window once it is decided, and tells who decided when', async () => {
    await approve('UBEN');
    await test.click(denyActionId, card, 'UCID');
    expect(await lastTold(2)).toContain('*approved* by <@UBEN> at 2027-01-15 08:00:00 UTC');
    expect(test.slack.modals.size).toBe(0);
  });

  it('submitted too late tells who decided when', async () => {
    const window = await openWindow('UCID');
    await approve('UBEN');
    expect((await test.submit(window, 'too slow', 'UCID')).text).toContain('*approved* by <@UBEN>');
    expect(voters()).toEqual(['approve UBEN']);
  });

  it('submitted twice at once ends the run once', async () => {
    const window = await openWindow('UBEN');
    const opened = Promise.withResolvers<void>();
    test.controls.approvals.gate = opened.promise;
    const both = [test.submit(window, 'not now', 'UBEN'), test.submit(window, 'not now', 'UBEN')];
    opened.resolve();
    test.controls.approvals.gate = Promise.resolve();
    await Promise.all(both);
    expect(voters()).toEqual(['deny UBEN']);
    expect(test.finishedTraces).toEqual([runId]);
  });

  it('that takes long is acknowledged in time, and the window shows the outcome later', async () => {
    const window = await openWindow('UBEN');
    const opened = Promise.withResolvers<void>();
    test.controls.approvals.gate = opened.promise;
    const ack = await test.submit(window, 'not now', 'UBEN');
    expect(ack.text).toContain('Still storing your denial');
    opened.resolve();
    test.controls.approvals.gate = Promise.resolve();
    await eventually(() =>
      expect(JSON.stringify(test.slack.modals.get(window))).toContain('Your denial counts'),
    );
    expect(stored().state).toBe('done');
  });

  it('says so where Slack does not open the window', async () => {
    test.slack.trouble('views.open', { kind: 'error', code: 'expired_trigger_id' });
    await test.click(denyActionId, card, 'UBEN');
    expect(await lastTold()).toContain('Slack did not open the window (expired_trigger_id)');
  });

  it('of a forged window counts for nothing', async () => {
    const view = {
      id: 'V1',
      callback_id: 'deny-reason',
      private_metadata: card,
      state: { values: { reason: { reason: { value: 'forged' } } } },
    };
    const payload = { type: 'view_submission', user: { id: 'UBEN' }, team: { id: 'T1' }, view };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    expect((await test.deliver(body, 'another-secret')).status).toBe(401);
    expectUndecided();
  });
});

describe('Details', () => {
  async function details(user: string): Promise<string> {
    await test.click(approvalDetailsActionId, card, user);
    const shown = () => JSON.stringify([...test.slack.modals.values()].at(-1));
    await eventually(() => expect(shown()).not.toMatch(/undefined|Looking it up/));
    return shown();
  }

  it('show the command word by word, its digest, the rounds, and the rules for who looks', async () => {
    const shown = await details('UBEN');
    expect(shown).toContain('1: `--vacuum-size=200M`');
    const { subject } = stored().approval.question;
    if (subject.kind !== 'action') throw new Error('no action');
    expect(shown).toContain(`\`${subject.digest.slice(0, 32)}\`\\n\`${subject.digest.slice(32)}\``);
    expect(shown).toContain('<!subteam^S0LEADS> until');
    expect(shown).toContain('Yes: You may approve web-01: line 2');
    expect(shown).toContain(runId);
  });

  it('say where no signer runs', async () => {
    test.controls.signer = false;
    expect(await details('UBEN')).toContain('No signer runs at the moment');
  });

  it('say no to whoever asked', async () => {
    const shown = await details('UANN');
    expect(shown).toContain('No: You asked for this yourself');
    expect(shown).not.toContain('So UANN may');
  });

  it('are not for those who may not view the machine', async () => {
    const shown = await details('UGUS');
    expect(shown).toContain('Guests');
    expect(shown).not.toContain('vacuum');
  });
});

describe('Cancel', () => {
  it('of a run that waits for people withdraws the question', async () => {
    const ack = await test.command(`cancel ${runId}`);
    expect(ack.text).toContain('what it asked for does not happen');
    expect(stored()).toMatchObject({ state: 'done', approval: { state: 'cancelled' } });
    expect(await approve('UBEN')).toContain('*cancelled* at 2027-01-15 08:00:00 UTC by <@UANN>');
    expect(test.finishedTraces).toEqual([runId]);
  });

  it('of a run that is carrying out what was approved says that it is too late', async () => {
    test.requests.stored[0] = { ...stored(), state: 'acting' };
    expect((await test.command(`cancel ${runId}`)).text).toContain('Too late to cancel');
    expect(stored().cancellation).toBeUndefined();
  });
});

it('stop waits for a window that was submitted, also after its acknowledgement', async () => {
  const stopping = new BotUnderTest();
  await stopping.start();
  stopping.reset();
  stopping.fleet = askingFleet([{ people: ['UBEN'], verbs: ['approve'] }]);
  stopping.requests.stored.push(asking(stopping.now));
  await stopping.click(denyActionId, card, 'UBEN');
  await eventually(() => expect(stopping.slack.modals.size).toBe(1));
  const [window = ''] = stopping.slack.modals.keys();
  const opened = Promise.withResolvers<void>();
  stopping.controls.approvals.gate = opened.promise;
  expect((await stopping.submit(window, 'not now', 'UBEN')).text).toContain('Still storing');
  const stopped = stopping.bot.stop();
  opened.resolve();
  await stopped;
  expect(JSON.stringify(stopping.slack.modals.get(window))).toContain('Your denial counts');
  await stopping.slack.stop();
});

it('a bot without a decision key says so, and what to set', async () => {
  const keyless = new BotUnderTest();
  keyless.decisionKey = undefined;
  await keyless.start();
  keyless.reset();
  keyless.groups.set('SOPS', five);
  keyless.fleet = askingFleet();
  keyless.requests.stored.push(asking(keyless.now));
  await keyless.click(approveActionId, card, 'UBEN', shown());
  await keyless.click(denyActionId, card, 'UBEN');
  await eventually(() => expect(keyless.slack.responses).toHaveLength(2));
  for (const { text } of keyless.slack.responses) expect(text).toContain('FLEETBOT_DECISION_KEY');
  expect((await keyless.command('run web-01 vacuum-journal')).text).toContain('FLEETBOT_DECISION_KEY');
  await keyless.command('check web-01 disk');
  expect(keyless.requests.stored.at(-1)?.request.seal).toBeUndefined();
  await keyless.stop();
});
