import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { agreeToResumeActionId, resumeActionId } from '../../src/bot/action-ids.ts';
import { resumeWishValidMs } from '../../src/bot/resume-wish.ts';
import { haltButtonsBlockId } from '../../src/bot/views/halt-buttons.ts';
import { haltReasonMaxCharacters, haltSchema } from '../../src/fleet/halt.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
const { halts } = test.controls;
beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  for (const user of ['UCID', 'UDAN']) test.users.set(user, {});
  test.fleet = fleetOf(
    [
      machine('web-01', { labels: { env: 'prod' } }),
      machine('web-02', { labels: { env: 'prod' } }),
      machine('db-01', { role: 'db', labels: { env: 'test' } }),
    ],
    [
      { people: ['UANN'], verbs: ['view', 'check', 'ask', 'halt', 'resume'] },
      { people: ['UBEN'], machines: 'web-*', verbs: ['view', 'check', 'halt', 'resume'] },
      { people: ['UCID', 'UDAN'], verbs: ['view', 'resume'], twoPeople: ['resume'] },
    ],
  );
});

/** What the person is told after a click; waits for it. */
async function told(count = 1): Promise<string> {
  await vi.waitFor(() => expect(test.slack.responses).toHaveLength(count));
  return String(test.slack.responses.at(-1)?.text);
}
const pendingOf = (id: string) => [...(halts.stored.get(id)?.members.keys() ?? [])];

describe('/fleet halt', () => {
  it('stores who halts what, where and why, and says how to lift it', async () => {
    const ack = await test.command('halt web-* agents misbehave', { trigger: 'T-1' });
    expect(halts.only).toMatchObject({
      eventId: 'cmd:T-1',
      selector: 'web-*',
      reason: 'agents misbehave',
      by: { kind: 'person', userId: 'UANN', teamId: 'T1' },
      origin: { channel: 'C1' },
      at: test.now,
      releases: [],
    });
    const { id } = halts.only;
    expect(id).toMatch(/^h-[0-9a-z]{12}$/);
    expect(pendingOf(id)).toEqual(['web-01', 'web-02']);
    expect(ack.text).toContain(`The halt \`${id}\` of 2 machines is stored`);
    expect(ack.text).toContain('"response_type":"ephemeral"');
  });

  it.each([
    ['halt the agents misbehave', 'all', 'the agents misbehave'],
    ['halt all the agents misbehave', 'all', 'the agents misbehave'],
    ['halt "agents misbehave"', 'all', '"agents misbehave"'],
    ['halt env=prod bad deploy', 'env=prod', 'bad deploy'],
    ['halt DB-01 bad deploy', 'DB-01', 'bad deploy'],
    ['halt role=db&env=test bad deploy', 'role=db&env=test', 'bad deploy'],
  ])('%s: selector %s, reason %s', async (text, selector, reason) => {
    await test.command(text);
    expect(halts.only).toMatchObject({ selector, reason });
  });

  it.each([
    ['halt web-1 bad deploy', 'Did you mean `web-01`?'],
    ['halt web bad deploy', 'Did you mean `role=web`?'],
    ['halt webb bad deploy', 'Did you mean `role=web`?'],
    ['halt prod bad deploy', 'Did you mean `env=prod`?'],
    ['halt db bad deploy', 'Did you mean `role=db`?'],
    ['halt mail-* bad deploy', 'No machine matches `mail-*`, so nothing was halted'],
    ['halt env=qa bad deploy', 'No machine matches `env=qa`'],
    ['halt stop! bad deploy', 'type `/fleet halt all stop! bad deploy`'],
    ['halt 3 agents misbehave', 'type `/fleet halt all 3 agents misbehave`'],
    ['halt role=web & env=prod bad deploy', 'without blanks'],
    ['halt web-01', 'Why shall `web-01` be halted?'],
    ['halt all', 'Why shall `all` be halted?'],
    ['halt', 'What shall be halted, and why?'],
  ])('%s halts nothing, and says what to type', async (text, explanation) => {
    const ack = await test.command(text);
    expect(ack.text.replaceAll('&amp;', '&')).toContain(explanation);
    expect(halts.stored.size).toBe(0);
  });

  it('does not suggest a machine that the person may not halt', async () => {
    const ack = await test.command('halt db-1 bad deploy', { user: 'UBEN' });
    expect(ack.text).toContain('No machine matches `db-1`');
    expect(ack.text).not.toContain('db-01');
  });

  it('delivered twice is one halt', async () => {
    const first = await test.command('halt all bad deploy', { trigger: 'same' });
    test.now += 1;
    const second = await test.command('halt all bad deploy', { trigger: 'same' });
    expect(second.text).toBe(first.text);
    expect(halts.stored.size).toBe(1);
  });

  it('of what the person may halt only in part names those machines, so that none joins later', async () => {
    const ack = await test.command('halt all bad deploy', { user: 'UBEN' });
    expect(halts.only.selector).toBe('web-01,web-02');
    expect(pendingOf(halts.only.id)).toEqual(['web-01', 'web-02']);
    expect(ack.text).toContain('NOT halted, because you may not: machines that you may not view');
    expect(ack.text).not.toContain('db-01');
  });

  it('is denied without the verb, and the refusal is counted and recorded', async () => {
    const ack = await test.command('halt all bad deploy', { user: 'UCID' });
    expect(ack.text).toContain('You may not `halt` any machine that `all` matches');
    expect(halts.stored.size).toBe(0);
    expect(test.controls.counted).toEqual(['denied halt']);
    await vi.waitFor(() => expect(test.controls.entries).toHaveLength(1));
    expect(test.controls.entries[0]).toMatchObject({
      kind: 'request.denied',
      by: { userId: 'UCID' },
      what: 'halt',
      target: 'halt all bad deploy',
      reason: expect.stringContaining('You may not'),
    });
  });

  it('does not wait for what only its message needs: whether the bot is in the channel', async () => {
    await test.command('halt all bad deploy', { channel: 'CELSEWHERE' });
    expect(halts.only.origin).toEqual({ channel: 'CELSEWHERE' });
    expect(test.slack.callsOf('conversations.info')).toHaveLength(0);
  });

  it('keeps no secret, nothing invisible and no long story in its reason', async () => {
    await test.command(`halt all password=hunter2hunter2 \u202eleaked\u0007 ${'very '.repeat(100)}`);
    const { reason } = halts.only;
    expect(reason).toMatch(/^password=\[redacted:password\] leaked very very .*…$/);
    expect(reason).toHaveLength(haltReasonMaxCharacters);
    expect(haltSchema.parse(halts.only)).toEqual(halts.only);
  });

  it('while the store is away says that nothing is halted, and what works without it', async () => {
    halts.away = true;
    const ack = await test.command('halt all bad deploy');
    expect(ack.text).toContain('NOT halted');
    expect(ack.text).toContain('`fleetbot halt --direct`');
  });
});

describe('a machine that is halted', () => {
  beforeEach(async () => {
    await test.command('halt web-* bad deploy');
  });

  it('takes no requests, and says who halted it, when, why and how to change that', async () => {
    const ack = await test.command('check web-01 disk');
    expect(ack.text).toContain('`web-01` is halted by <@UANN> since 2027-01-15 08:00:00 UTC: bad deploy');
    expect(ack.text).toContain(halts.only.id);
    expect(ack.text).toContain('`/fleet resume web-01`');
    expect(test.requests.stored).toHaveLength(0);
  });

  it('is left out of a campaign, and named', async () => {
    const ack = await test.command('check all disk');
    expect(ack.text).toContain('Stored for `db-01`.');
    expect(ack.text).toContain('Left out: `web-01`, `web-02` are halted by <@UANN>');
    expect(test.requests.stored.map((run) => run.request.machine)).toEqual(['db-01']);
    expect(test.requests.stored[0]?.request.campaign).toBeUndefined();
  });

  it('is marked where people look, with what is known of its lock', async () => {
    const { id } = halts.only;
    halts.tell(id, 'web-01', { outcome: 'unreachable', detail: 'connect ECONNREFUSED', at: test.now });
    const show = await test.command('show web-01');
    expect(show.text).toMatch(/HALTED.*bad deploy.*cannot be reached.*connect ECONNREFUSED/);
    const list = await test.command('list');
    expect(list.text).toMatch(/\*web-02\* · :octagonal_sign: \*HALTED\*/);
    expect(list.text).not.toMatch(/\*db-01\* · :octagonal_sign:/);
  });

  it('that joins the fleet later is halted too', async () => {
    test.fleet = { ...test.fleet, machines: new Map(test.fleet.machines).set('web-03', machine('web-03')) };
    expect((await test.command('check web-03 disk')).text).toContain('is halted by');
  });
});

describe('/fleet resume', () => {
  beforeEach(async () => {
    await test.command('halt all bad deploy');
  });

  it('lifts everything where nothing else is typed, once for an event that comes twice', async () => {
    for (const _delivery of [1, 2]) await test.command('resume', { trigger: 'same' });
    const by = { kind: 'person', userId: 'UANN', teamId: 'T1' };
    expect(halts.only.releases).toEqual([{ selector: 'all', by, at: test.now }]);
    await test.command('check web-01 disk');
    expect(test.requests.stored).toHaveLength(1);
  });

  it('lifts a halt from what a selector matches', async () => {
    const ack = await test.command('resume web-*');
    expect(ack.text).toContain('Resumed `web-01`, `web-02`');
    expect(halts.only.releases).toMatchObject([{ selector: 'web-*' }]);
    expect((await test.command('check db-01 disk')).text).toContain('is halted by');
  });

  it('lifts one halt by its id, and leaves others', async () => {
    const { id } = halts.only;
    test.now += 60_000;
    await test.command('halt db-01 another reason');
    await test.command(`resume ${id.toUpperCase()}`);
    const [first, second] = [...halts.stored.values()].map(({ halt }) => halt);
    expect(first?.releases).toMatchObject([{ selector: 'all' }]);
    expect(second?.releases).toEqual([]);
  });

  it('lifts every halt that holds for the machines', async () => {
    test.now += 60_000;
    await test.command('halt web-01 another reason');
    await test.command('resume web-01');
    const releases = [...halts.stored.values()].map(({ halt }) => halt.releases);
    expect(releases).toMatchObject([[{ selector: 'web-01' }], [{ selector: 'web-01' }]]);
  });

  it('leaves halted what the person may not resume, and says so', async () => {
    const ack = await test.command('resume', { user: 'UBEN' });
    expect(halts.only.releases).toMatchObject([{ selector: 'web-01,web-02', by: { userId: 'UBEN' } }]);
    expect(ack.text).toContain(
      'These stay halted, because you may not resume them: machines that you may not',
    );
    expect(ack.text).not.toContain('db-01');
  });

  it.each([
    ['resume', 'Nothing is halted'],
    ['resume web-01', 'Nothing that `web-01` matches is halted'],
    ['resume web-9', 'No machine matches `web-9`'],
    ['resume h-zzzzzzzzzzzz', 'There is no halt `h-zzzzzzzzzzzz`'],
    ['resume web-01 db-01', 'One selector or halt at a time'],
  ])('%s without a halt: %s', async (text, answer) => {
    await test.command('resume');
    const ack = await test.command(text);
    expect(ack.text).toContain(answer);
    expect(halts.only.releases).toHaveLength(1);
  });

  it('of a halt that was lifted tells who did', async () => {
    await test.command('resume');
    const ack = await test.command(`resume ${halts.only.id}`);
    expect(ack.text).toContain('<@UANN> resumed `all`');
    expect(halts.only.releases).toHaveLength(1);
  });

  it('of a halt whose machines changed labels does not say that somebody did', async () => {
    await test.command('halt role=db bad disks');
    const { id } = [...halts.stored.values()].at(-1)?.halt ?? halts.only;
    const relabelled = new Map(test.fleet.machines).set('db-01', machine('db-01', { role: 'archive' }));
    test.fleet = { ...test.fleet, machines: relabelled };
    const ack = await test.command(`resume ${id}`);
    expect(ack.text).toContain('Nobody resumed it');
    expect(ack.text).toContain('fleetbot resume --direct --force');
  });

  it('is denied without the verb', async () => {
    test.fleet = { ...test.fleet, access: fleetOf([], [{ people: ['UANN'], verbs: ['halt'] }]).access };
    expect((await test.command('resume')).text).toContain('You may not `resume`');
    expect(halts.only.releases).toEqual([]);
    expect(test.controls.counted).toEqual(['denied resume']);
  });

  it('tells when the store is away', async () => {
    halts.away = true;
    expect((await test.command('resume')).text).toContain('could not reach its store');
  });
});

describe('where two people are needed to resume', () => {
  const person = (userId: string) => ({ kind: 'person', userId, teamId: 'T1' });
  /** The Agree button as the message showed it. */
  const agree = (user: string, shownIn = haltButtonsBlockId(halts.only.id, halts.only.resumeWish)) =>
    test.click(agreeToResumeActionId, halts.only.id, user, shownIn);

  beforeEach(async () => {
    await test.command('halt all bad deploy');
  });

  it('the first one is a wish, the second one carries it out', async () => {
    const ack = await test.command('resume', { user: 'UCID' });
    expect(ack.text).toContain('Not resumed yet');
    expect(halts.only).toMatchObject({ releases: [], resumeWish: { selector: 'all', by: person('UCID') } });
    test.now += 1_000;
    await test.command('resume', { user: 'UDAN' });
    expect(halts.only.releases).toEqual([
      { selector: 'all', by: person('UCID'), agreedBy: person('UDAN'), at: test.now },
    ]);
  });

  it('the second one may click', async () => {
    await test.click(resumeActionId, halts.only.id, 'UCID');
    expect(await told(1)).toContain('Not resumed yet');
    await agree('UDAN');
    expect(await told(2)).toContain('You agreed. Resumed `web-01`');
    expect(halts.only.releases).toMatchObject([{ by: person('UCID'), agreedBy: person('UDAN') }]);
  });

  it('the same person twice is one person', async () => {
    await test.command('resume', { user: 'UCID', trigger: 'same' });
    for (const trigger of ['same', 'another']) {
      const ack = await test.command('resume', { user: 'UCID', trigger });
      expect(ack.text).toContain('It must be another person who agrees');
    }
    await agree('UCID');
    expect(await told()).toContain('It must be another person who agrees');
    expect(halts.only.releases).toEqual([]);
  });

  it('one who needs no second person agrees too, or resumes alone', async () => {
    await test.command('resume', { user: 'UCID' });
    await test.command('resume web-01');
    expect(halts.only.releases).toEqual([{ selector: 'web-01', by: person('UANN'), at: test.now }]);
  });

  it('a wish for something else is another wish', async () => {
    await test.command('resume', { user: 'UCID' });
    await test.command('resume web-*', { user: 'UDAN' });
    expect(halts.only).toMatchObject({ releases: [], resumeWish: { selector: 'web-*', by: person('UDAN') } });
  });

  it('an old wish counts as none', async () => {
    await test.command('resume', { user: 'UCID' });
    test.now += resumeWishValidMs + 1;
    await agree('UDAN');
    expect(await told()).toContain('no longer stands');
    await test.command('resume', { user: 'UDAN' });
    expect(halts.only).toMatchObject({ releases: [], resumeWish: { by: person('UDAN') } });
  });

  it('people agree to what they saw, not to what took its place', async () => {
    await test.command('resume web-01', { user: 'UCID' });
    const shown = haltButtonsBlockId(halts.only.id, halts.only.resumeWish);
    test.now += 1_000;
    await test.command('resume', { user: 'UCID' });
    await agree('UDAN', shown);
    expect(await told()).toContain('no longer stands');
    expect(halts.only.releases).toEqual([]);
  });

  it('one who may resume only a part agrees to that part', async () => {
    await test.command('resume', { user: 'UCID' });
    await agree('UBEN');
    expect(await told()).toContain('These stay halted');
    expect(halts.only.releases).toMatchObject([
      { selector: 'web-01,web-02', by: person('UCID'), agreedBy: person('UBEN') },
    ]);
  });

  it('a wish of somebody who may no longer resume is worth nothing', async () => {
    await test.command('resume', { user: 'UCID' });
    test.users.set('UCID', { deleted: true });
    await agree('UDAN');
    expect(await told()).toContain('Not resumed yet');
    expect(halts.only).toMatchObject({ releases: [], resumeWish: { by: person('UDAN') } });
  });

  it('a group that gives it without a second person is enough, while Slack says who is in it', async () => {
    const group = { groups: ['SOPS'], verbs: ['resume' as const] };
    test.fleet = { ...test.fleet, access: [...test.fleet.access, ...fleetOf([], [group]).access] };
    test.groups.set('SOPS', ['UCID']);
    test.slack.trouble('usergroups.users.list', { kind: 'rate-limit', retryAfterS: 30 });
    expect((await test.command('resume', { user: 'UCID' })).text).toContain('Not resumed yet');
    await test.command('resume web-01', { user: 'UCID' });
    expect(halts.only.releases).toMatchObject([{ selector: 'web-01', by: person('UCID') }]);
  });

  it.each(['UGUS', 'USTRANGER', 'UNOBODY'])('a click of %s changes nothing', async (user) => {
    await test.command('resume', { user: 'UCID' });
    await agree(user);
    await told(1);
    await test.click(resumeActionId, halts.only.id, user);
    await told(2);
    expect(halts.only).toMatchObject({ releases: [], resumeWish: { by: person('UCID') } });
    expect(test.controls.counted).toEqual(['denied resume', 'denied resume']);
    expect(test.controls.entries).toMatchObject([{ target: halts.only.id }, { target: halts.only.id }]);
  });

  it('a forged id is explained', async () => {
    await test.click(resumeActionId, 'h-zzzzzzzzzzzz', 'UCID');
    expect(await told()).toContain('There is no halt');
  });
});
