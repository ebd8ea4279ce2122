import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blockProblems } from '../support/block-limits.ts';
import { noSignals } from '../support/no-signals.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  test.now = Date.parse('2026-11-23T00:40:00Z');
});

const { schedules } = test.controls;
const person = (userId: string) => ({ kind: 'person', userId, teamId: 'T1' }) as const;
const add = 'schedule add nightly web-* disk "0 3 * * *" Europe/Berlin';

/** What the person reads. */
async function answer(text: string, user = 'UANN', trigger?: string): Promise<string> {
  const ack = await test.command(text, { user, ...(trigger !== undefined && { trigger }) });
  return ack.text.replaceAll('\\n', '\n');
}

describe('/fleet schedule add', () => {
  it('stores what was typed, in this channel, on the rights of whoever typed it', async () => {
    const told = await answer(add, 'UANN', 'T-1');
    expect([...schedules.stored.values()]).toEqual([
      {
        ...{ name: 'nightly', machines: 'web-*', task: { kind: 'check', check: 'disk' }, channel: 'C1' },
        ...{ cron: '0 3 * * *', timeZone: 'Europe/Berlin', jitterSeconds: 0 },
        ...{ by: person('UANN'), since: test.now },
      },
    ]);
    expect(told).toContain(
      'The schedule `nightly` is set up: `check disk` on `web-*`, which is 2 machines now.',
    );
    expect(told).toContain(
      'Next: Mon 2026-11-23 03:00 Europe/Berlin, Tue 2026-11-24 03:00 Europe/Berlin, Wed 2026-11-25 03:00 Europe/Berlin.',
    );
    expect(told).toContain('"response_type":"ephemeral"');
    expect(test.requests.stored).toEqual([]);
  });

  it.each([
    ['quotes as a phone puts them', 'schedule add s web-01 disk “0 3 * * *”', '0 3 * * *', 'UTC'],
    ['single quotes', "schedule add s web-01 disk '0 3 * * MON-FRI' utc", '0 3 * * MON-FRI', 'utc'],
    ['what was copied from our own messages', 'schedule add s web-01 disk 0 3 ∗ ∗ ∗', '0 3 * * *', 'UTC'],
    ['no quotes', 'schedule add S web-01 DISK */15 * * * * Asia/Kolkata', '*/15 * * * *', 'Asia/Kolkata'],
  ])('understands %s', async (_what, text, cron, timeZone) => {
    await answer(text);
    expect(schedules.stored.get('s')).toMatchObject({
      cron,
      timeZone,
      task: { kind: 'check', check: 'disk' },
    });
  });

  it('takes a question for the agents, without the secrets in it', async () => {
    await answer('schedule add s web-01 ask “did password=hunter2hunter2 change?” “0 3 * * *”');
    const question = 'did password=[redacted:password] change?';
    expect(schedules.stored.get('s')).toMatchObject({ cron: '0 3 * * *', task: { kind: 'ask', question } });
  });

  it.each([
    ['schedule add', 'What is it called, and for which machines is it?'],
    ['schedule add nightly web-01', 'What shall be done, and when?'],
    ['schedule add nightly web-01 disk', 'When? Write for example `0 3 * * *` (every night at 3:00)'],
    [
      'schedule add nightly web-01 disk "0 3 * *"',
      'The time `0 3 * *` has 4 of the five fields minute, hour, day of the month, month, day of the week. Write for example',
    ],
    ['schedule add nightly web-01 disk every night', 'The time `every night` has 2 of the five fields'],
    ['schedule add nightly web-01 disk "0 25 * * *"', 'has `25` as its hour, which is `*` or 0 to 23'],
    [
      'schedule add nightly web-01 disk "0 3 * * *" Berlin',
      'There is no time zone `Berlin`. Did you mean `Europe/Berlin`?',
    ],
    ['schedule add night! web-01 disk "0 3 * * *"', '`night!` is no name for a schedule'],
    ['schedule add nightly web-01 ask why "0 3 * * *"', 'Put the question in quotes'],
    ['schedule add nightly web-01 disc "0 3 * * *"', 'has no check `disc`. Did you mean `disk`?'],
    ['schedule add nightly web-09 disk "0 3 * * *"', 'No machine matches `web-09`.'],
    ['schedule add nightly web-01 & db-01 disk "0 3 * * *"', 'Write the selector without blanks'],
    ['schedule move nightly', '`move` is nothing that can be done with schedules.'],
  ])('says of "%s" what to type instead', async (text, expected) => {
    const told = JSON.parse((await test.command(text)).text);
    expect(told.text).toContain(expected);
    expect(schedules.stored.size).toBe(0);
  });

  it('needs the right on every machine that it is for', async () => {
    expect(await answer('schedule add nightly all disk "0 3 * * *"', 'UBEN')).toContain(
      'A schedule needs `check` on all machines that `all` matches. You may not: machines that you may not view.',
    );
    expect(await answer(add, 'UGUS')).toContain('Guests of this workspace may not use fleetbot');
    expect(schedules.stored.size).toBe(0);
    expect(test.controls.counted).toEqual(['denied check', 'denied check']);
    await answer(add, 'UBEN');
    expect(schedules.stored.get('nightly')?.by).toEqual(person('UBEN'));
  });

  it('takes a name once, and delivered twice it is one', async () => {
    await answer(add, 'UANN', 'T-1');
    expect(await answer(add, 'UANN', 'T-1')).toContain('is set up');
    expect(await answer(add, 'UANN', 'T-2')).toContain('There is a schedule `nightly` already.');
  });

  it('takes no name that the fleet file has, and no channel that the bot is not in', async () => {
    const entry = { name: 'nightly', machines: 'all', check: 'disk', cron: '0 3 * * *', channel: 'C1' };
    test.fleet = { ...test.fleet, ...noSignals, schedules: [entry] };
    expect(await answer(add)).toContain('The schedule `nightly` is in the fleet file');
    expect(await answer('schedule remove nightly')).toContain('The schedule `nightly` is in the fleet file');
    test.channels.set('C2', false);
    const elsewhere = await test.command(add.replace('nightly', 'mine'), { channel: 'C2' });
    expect(elsewhere.text).toContain('I am not in this channel');
    expect(schedules.stored.size).toBe(0);
  });

  it('says that the store does not answer', async () => {
    schedules.away = true;
    expect(await answer(add)).toContain('not certain that this was recorded');
  });
});

describe('/fleet schedule list', () => {
  it('shows schedules of the file and of people with their next time, on machines that one may view', async () => {
    const entry = { name: 'weekly', machines: 'all', check: 'load', cron: '0 9 * * MON', channel: 'C2' };
    test.fleet = { ...test.fleet, schedules: [entry] };
    await answer(add);
    const told = await answer('schedule list');
    expect(told).toContain('2 schedules');
    expect(told).toContain(
      '`weekly` · check load on `all` · `0 9 * * MON UTC` · next Mon 2026-11-23 09:00 UTC · <#C2> · of the fleet file',
    );
    expect(told).toContain('`0 3 * * * Europe/Berlin` · next Mon 2026-11-23 03:00 Europe/Berlin');
    expect(told).toContain('set up by <@UANN>');
    const bens = await answer('schedule', 'UBEN');
    expect(bens).toContain('1 schedule');
    expect(bens).toContain('1 more for machines that you may not view');
    expect(bens).not.toContain('weekly');
    test.fleet = { ...test.fleet, machines: new Map() };
    expect(await answer('schedule list', 'UBEN')).toContain('2 more for machines that you may not view');
  });
});

it('a list of more schedules than a message holds says how many it leaves out', async () => {
  await answer(add);
  const [mine] = schedules.stored.values();
  if (mine === undefined) throw new Error('not stored');
  const question = { kind: 'ask', question: 'why? '.repeat(100) } as const;
  for (let index = 0; index < 200; index += 1) {
    schedules.stored.set(`s${index}`, { ...mine, name: `s${index}`, task: question });
  }
  const { blocks } = JSON.parse((await test.command('schedule list')).text);
  expect(blockProblems(blocks)).toEqual([]);
  expect(JSON.stringify(blocks)).toMatch(/and \d+ more/);
});

describe('/fleet schedule remove', () => {
  it('is for whoever set it up, whatever they may do now', async () => {
    await answer(add, 'UBEN');
    test.fleet = fleetOf([machine('web-01')], []);
    expect(await answer('schedule remove NIGHTLY', 'UBEN')).toContain('The schedule `nightly` is removed.');
    expect(schedules.removed).toEqual([{ name: 'nightly', by: person('UBEN') }]);
  });

  it('is for people who may do the same on all of its machines', async () => {
    await answer('schedule add nightly all disk "0 3 * * *"');
    expect(await answer('schedule remove nightly', 'UBEN')).toContain(
      'can be removed by whoever set it up, and by people who may `check` all of its machines.',
    );
    await answer('schedule add other web-* disk "0 3 * * *"');
    expect(await answer('schedule remove other', 'UBEN')).toContain('is removed');
    expect(schedules.removed).toEqual([{ name: 'other', by: person('UBEN') }]);
  });

  it('of one that is for no machine any more is for people who may do the same everywhere', async () => {
    await answer(add);
    test.fleet = fleetOf([machine('db-01')], [{ people: ['UBEN'], machines: 'db-*' }]);
    expect(await answer('schedule remove nightly', 'USISTER')).toContain(
      'can be removed by whoever set it up',
    );
    expect(await answer('schedule remove nightly', 'UBEN')).toContain('is removed');
  });

  it('suggests a name of one of their own, and nobody else a name that they may not see', async () => {
    await answer(add);
    expect(await answer('schedule remove nightli')).toContain('Did you mean `nightly`?');
    expect(await answer('schedule remove nightli', 'UBEN')).not.toContain('`nightly`');
  });

  it('is not for whoever has left the workspace', async () => {
    await answer(add);
    test.users.set('UANN', { deleted: true });
    expect(await answer('schedule remove nightly')).toContain('Your Slack account is deactivated');
    expect(schedules.removed).toEqual([]);
  });
});

describe('what a person may do who is not there', () => {
  const all = () => [...test.fleet.machines.values()];

  it('is decided by what Slack says of them then', async () => {
    const asked = await test.bot.mayAsk(person('UBEN'), 'check', all());
    expect(asked.allowed.map(({ name }) => name)).toEqual(['web-01', 'web-02']);
    expect(asked.why).toBe('whoever set it up may not check it now');
    test.groups.set('SOPS', []);
    expect((await test.bot.mayAsk(person('UBEN'), 'check', all())).allowed).toEqual([]);
  });

  it('is nothing in doubt, and the doubt is told', async () => {
    test.groups.delete('SOPS');
    const { allowed, why, isCertain } = await test.bot.mayAsk(person('UBEN'), 'check', all());
    expect({ allowed, isCertain }).toEqual({ allowed: [], isCertain: false });
    expect(why).toContain('(Slack could not be asked who is in user group SOPS');
    test.groups.set('SOPS', ['UBEN']);
    test.users.set('UANN', { deleted: true });
    const ann = await test.bot.mayAsk(person('UANN'), 'check', all());
    expect(ann).toMatchObject({ why: expect.stringContaining('deactivated'), isCertain: true });
    test.users.delete('UANN');
    expect(await test.bot.mayAsk(person('UANN'), 'check', all())).toMatchObject({ isCertain: false });
  });
});
