import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { endSilenceActionId } from '../../src/bot/action-ids.ts';
import { silenceMaxMs, silenceReasonMaxCharacters } from '../../src/fleet/silence.ts';
import { personsSilence, sampleSilence } from '../support/sample-silence.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
const { silences } = test.controls;
const hourMs = 3_600_000;
beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  for (const user of ['UCID', 'UDAN']) test.users.set(user, {});
  test.fleet = fleetOf(
    [machine('web-01'), machine('web-02'), machine('db-01', { role: 'db' })],
    [
      { people: ['UANN'], verbs: ['view', 'check', 'silence'] },
      { people: ['UBEN'], machines: 'web-*', verbs: ['view', 'silence'] },
      { people: ['UCID'], machines: 'web-*', verbs: ['view', 'check'] },
    ],
  );
});

/** What the person is told after a click; waits for it. */
async function told(): Promise<string> {
  await vi.waitFor(() => expect(test.slack.responses).toHaveLength(1), { timeout: 10_000 });
  return String(test.slack.responses.at(-1)?.text);
}
/** Stores a silence of UANN for these machines from now on. */
async function silence(machines: string): Promise<string> {
  const until = test.now + hourMs;
  const by = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
  await silences.begin({ ...personsSilence({ machines, from: test.now, until }), by }, 'cmd:before');
  return silences.only.id;
}

describe('/fleet silence', () => {
  it('stores who silences what, how long and why; its message is the answer', async () => {
    const ack = await test.command('silence web-* 1h30m new kernel', { trigger: 'T-1' });
    expect(ack.text).toBe('');
    expect(silences.only).toEqual({
      id: expect.stringMatching(/^s-[0-9a-z]{12}$/),
      machines: 'web-*',
      reason: 'new kernel',
      by: { kind: 'person', userId: 'UANN', teamId: 'T1' },
      origin: { channel: 'C1' },
      from: test.now,
      until: test.now + 1.5 * hourMs,
    });
  });

  it.each([
    ['silence', 'Which machines, for how long, and why?'],
    ['silence web-01', 'For how long, and why?'],
    ['silence web-01 2h', 'Why?'],
    ['silence web-01 soon new kernel', '`soon` is no span of time: 30m, 2h, 1d12h and 1w are.'],
    ['silence web-01 0m new kernel', 'from 1 minute to 14 days, and always ends'],
    ['silence web-01 15d new kernel', 'from 1 minute to 14 days, and always ends'],
    ['silence web-01 2h \ue000', 'a reason that can be read'],
    ['silence web-1 2h new kernel', 'Did you mean `web-01`?'],
    ['silence role=web & env=prod 2h new kernel', 'without blanks'],
  ])('%s silences nothing, and says what to type', async (text, explanation) => {
    const ack = await test.command(text);
    expect(ack.text.replaceAll('&amp;', '&')).toContain(explanation);
    expect(silences.stored.size).toBe(0);
  });

  it('lasts as long as it may, and no longer', async () => {
    await test.command('silence web-01 14d new kernel');
    expect(silences.only.until - silences.only.from).toBe(silenceMaxMs);
  });

  it('delivered twice is one silence', async () => {
    await test.command('silence all 2h new kernel', { trigger: 'same' });
    test.now += 1;
    await test.command('silence all 2h new kernel', { trigger: 'same' });
    expect(silences.stored.size).toBe(1);
  });

  it('of what the person may silence only in part names those machines, so that none joins later', async () => {
    const ack = await test.command('silence all 2h new kernel', { user: 'UBEN' });
    expect(silences.only.machines).toBe('web-01,web-02');
    expect(ack.text).toContain('NOT silenced, because you may not: machines that you may not view');
    expect(ack.text).not.toContain('db-01');
  });

  it('is denied without the verb, and the refusal is counted', async () => {
    const ack = await test.command('silence web-01 2h new kernel', { user: 'UCID' });
    expect(ack.text).toContain('You may not silence web-01');
    expect(silences.stored.size).toBe(0);
    expect(test.controls.counted).toContain('denied silence');
  });

  it('keeps no secret and no more of a reason than fits', async () => {
    await test.command(`silence web-01 2h ${'because '.repeat(60)}`);
    expect(silences.only.reason).toHaveLength(silenceReasonMaxCharacters);
    silences.stored.clear();
    await test.command('silence web-01 2h password=hunter2 leaked', { trigger: 'T-2' });
    expect(silences.only.reason).toBe('password=[redacted:password] leaked');
  });

  it('says what of its selector names nothing', async () => {
    const ack = await test.command('silence web-01,nope-* 2h new kernel');
    expect(ack.text).toContain('Nothing matches `nope-*`.');
    expect(silences.stored.size).toBe(1);
  });

  it('in a channel where its end could not be told silences nothing', async () => {
    test.channels.set('C9', false);
    const ack = await test.command('silence web-01 2h new kernel', { channel: 'C9' });
    expect(ack.text).toContain('I am not in this channel');
    expect(silences.stored.size).toBe(0);
  });

  it('of what is silenced already names the one that holds', async () => {
    const id = await silence('web-*');
    const ack = await test.command('silence web-01 2h new kernel', { trigger: 'T-2' });
    expect(ack.text).toContain(
      `\`web-01\`: silenced until 2027-01-15 09:00:00 UTC: new kernel (\`${id}\`). Yours holds`,
    );
    expect(silences.stored.size).toBe(2);
  });

  it('is refused where there are too many already', async () => {
    for (let index = 0; index < 200; index += 1) {
      await silences.begin(personsSilence({ id: `s-${index}` }), `Ev${index}`);
    }
    expect((await test.command('silence web-01 2h new kernel')).text).toContain('200 silences already');
  });

  it('says so when the store does not answer', async () => {
    silences.away = true;
    expect((await test.command('silence web-01 2h new kernel')).text).toContain('could not reach its store');
  });
});

describe('/fleet unsilence', () => {
  it.each(['UANN', 'UBEN'])('ends a silence of the web machines for %s', async (user) => {
    const id = await silence('web-*');
    const ack = await test.command(`unsilence ${id.toUpperCase()}`, { user });
    expect(ack.text).toContain(`Silence \`${id}\` is over`);
    expect(silences.only.ended).toEqual({ by: { kind: 'person', userId: user, teamId: 'T1' }, at: test.now });
  });

  it('is denied to whoever may not silence every machine of it, unless they made it', async () => {
    const id = await silence('all');
    expect((await test.command(`unsilence ${id}`, { user: 'UBEN' })).text).toContain('You may not end');
    expect(silences.only.ended).toBeUndefined();
    test.fleet = fleetOf([machine('web-01')], [{ people: ['UANN'], verbs: ['view'] }]);
    expect((await test.command(`unsilence ${id}`)).text).toContain('is over');
  });

  it('of machines that are no more is denied to all but whoever made it', async () => {
    const id = await silence('gone-*');
    expect((await test.command(`unsilence ${id}`, { user: 'UBEN' })).text).toContain('You may not end');
  });

  it('is denied to whoever Slack excludes, though they made it', async () => {
    const id = await silence('all');
    test.users.set('UANN', { deleted: true });
    expect((await test.command(`unsilence ${id}`)).text).not.toContain('is over');
    expect(silences.only.ended).toBeUndefined();
  });

  it('tells of one that is over since when', async () => {
    const id = await silence('all');
    await test.command(`unsilence ${id}`);
    test.now += 1;
    expect((await test.command(`unsilence ${id}`)).text).toContain('has been over since');
  });

  it.each([
    ['unsilence', 'Which silence?'],
    ['unsilence s-0000000000zz', 'There is no silence `s-0000000000zz`'],
    ['unsilence web-01', 'is no silence: one is called `s-…`. `/fleet silences` lists them.'],
    ['unsilence w-patch-night-abc', 'change it there'],
  ])('%s ends nothing', async (text, explanation) => {
    expect((await test.command(text)).text).toContain(explanation);
  });

  it('of a machine names the silences that hold for it', async () => {
    const id = await silence('web-*');
    const ack = await test.command('unsilence web-01');
    expect(ack.text).toContain(`It is silenced by \`${id}\`. \`/fleet silences\` lists them.`);
    expect((await test.command('unsilence db-01')).text).not.toContain(id);
    expect((await test.command('unsilence web-01', { user: 'UDAN' })).text).not.toContain(id);
    expect(silences.only.ended).toBeUndefined();
  });

  it('is what the button of its message does, for those who may', async () => {
    const id = await silence('web-*');
    await test.click(endSilenceActionId, id, 'UCID');
    expect(await told()).toContain('You may not end');
    test.slack.responses.length = 0;
    await test.click(endSilenceActionId, id, 'UBEN');
    expect(await told()).toContain('is over');
    expect(silences.only.ended?.by.userId).toBe('UBEN');
  });
});

describe('/fleet silences', () => {
  const window = {
    ...{ name: 'patch-night', machines: 'web-*', cron: '0 2 * * *', minutes: 90, reason: 'patches' },
  };

  it('lists what holds, the open windows and when the next ones begin', async () => {
    const id = await silence('db-01');
    test.fleet = { ...test.fleet, maintenance: [window] };
    silences.windows.push(
      sampleSilence({
        ...{ id: 'w-patch-night-abc', machines: 'web-*', by: { kind: 'window', window: 'patch-night' } },
        ...{ from: test.now - 1, until: test.now + 1, reason: 'patches' },
      }),
    );
    const { text } = await test.command('silences');
    expect(text).toContain(`\`db-01\` until 2027-01-15 09:00:00 UTC by <@UANN>: new kernel (\`${id}\`)`);
    expect(text).toContain('for the maintenance window `patch-night`: patches');
    expect(text).toContain('`patch-night` begins 2027-01-16 02:00:00 UTC for 90 min: `web-01`, `web-02`');
  });

  it('names no machine that the reader may not view', async () => {
    await silence('web-01,db-01');
    const { text } = await test.command('silences', { user: 'UCID' });
    expect(text).toContain('`web-01` and machines that you may not view');
    expect(text).not.toContain('db-01');
  });

  it('says so where nothing is silenced', async () => {
    await silence('db-01');
    const { text } = await test.command('silences', { user: 'UCID' });
    expect(text).toContain('Nothing that you may view is silenced.');
  });
});

describe('a silenced machine', () => {
  it('is checked for a person, who is told that the silence holds', async () => {
    const id = await silence('web-01');
    const { text } = await test.command('check web-01 disk', { user: 'UCID' });
    expect(test.requests.stored).toHaveLength(1);
    expect(text).toContain(`\`web-01\`: silenced until 2027-01-15 09:00:00 UTC: new kernel (\`${id}\`)`);
    expect(text).toContain('What you asked for goes on; nobody is asked about what it finds.');
  });

  it('is checked, though nobody can tell whether it is silenced', async () => {
    silences.away = true;
    await test.command('check web-01 disk');
    expect(test.requests.stored).toHaveLength(1);
  });

  it('is shown as silenced, alone and in the list', async () => {
    await silence('web-01');
    expect((await test.command('show web-01')).text).toContain(':mute: *silenced* until 2027-01-15');
    const { text } = await test.command('list');
    expect(text).toMatch(/\*web-01\* · :mute: silenced/);
    expect(text).not.toMatch(/\*web-02\* · :mute: silenced/);
  });
});
