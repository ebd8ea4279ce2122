import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import {
  accepted,
  acted,
  activated,
  ann,
  asked,
  ben,
  campaignOf,
  decided,
  done,
  settled,
} from '../fleet/audit/facts.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const hourMs = 3_600_000;
const under = new BotUnderTest();
beforeAll(() => under.start());
afterAll(() => under.stop());
beforeEach(() => {
  under.reset();
  under.slack.messages.length = 0;
});

/** So many minutes ago. */
const ago = (minutes: number) => under.now - minutes * 60_000;
const tell = (...entries: readonly LedgerEntry[]) => under.controls.entries.push(...entries);
const ask = async (text: string, user = 'UANN') =>
  (await under.command(`audit ${text}`.trim(), { user })).text;
/** The files in a person's conversation with the bot. */
const filesOf = (user: string) =>
  under.slack.messages
    .filter(({ channel }) => channel === `D${user.slice(1)}`)
    .flatMap(({ files = [] }) => files);

describe('/fleet audit', () => {
  it('says who did what, when, where, with what result, approved by whom, at what cost', async () => {
    tell(
      accepted(1, 'web-01', ago(10)),
      activated(1, 'web-01', ago(9), 0.0123),
      asked(1, 'web-01', ago(9)),
      decided(1, 'web-01', ago(8), { reason: 'it is full' }),
      settled(1, 'web-01', ago(8), 'approved'),
      acted(1, 'web-01', ago(7)),
      done(1, 'web-01', ago(6), { verdict: 'warning' }),
    );
    const answer = await ask('');
    expect(answer).toContain('Audit: the last 24h');
    expect(answer).toContain('1 run: 1 :warning: *warning*');
    expect(answer).toContain(
      '`2027-01-15 07:54:00` · <@UANN> · check disk · *web-01* · :warning: *warning* · action done, confirmed · approved by <@UBEN> (sre): “it is full” · $0.01',
    );
  });

  it('takes machines, a person and a period in any order', async () => {
    tell(
      accepted(1, 'web-01', ago(10), { by: ben }),
      accepted(2, 'web-02', ago(10)),
      accepted(3, 'web-01', ago(10)),
      accepted(4, 'web-01', ago(90), { by: ben }),
    );
    for (const words of ['web-01 <@UBEN|ben> 1h', '1h UBEN WEB-01', '<@UBEN> 1h web-0?&!web-02']) {
      const answer = await ask(words);
      expect(answer, words).toContain('1 run: ');
      expect(answer, words).toContain('<@UBEN> · check disk · *web-01*');
    }
    expect(await ask('me 1h')).toContain('2 runs: ');
    expect(await ask('me 1h', 'UBEN')).toContain('1 run: ');
  });

  it.each([
    ['web-01 db-01', 'Write one selector'],
    ['1h 2h', 'One period at a time'],
    ['UANN UBEN', 'One person at a time'],
    ['2026-13', 'is no period'],
    ['--xml', 'There is no `--xml`'],
    ['--csv --json', 'One kind of file'],
    ['nowhere-*', 'No machine matches `nowhere-*`, today or in the last 24h.'],
    ['web-1', 'Did you mean `web-01`?'],
    ['yesterdy', 'Did you mean `yesterday`?'],
    ['2020', 'A period is one of these: 24h, 7d'],
    ['7days', 'A period is one of these: 24h, 7d'],
    ['tomorrow', 'A period is one of these: 24h, 7d'],
    ['@alex', 'A person is a mention'],
  ])('answers `%s` with what to type instead', async (words, answer) => {
    expect(await ask(words)).toContain(answer);
  });

  it('tells a campaign in one line, and each of its runs in a file', async () => {
    tell(
      campaignOf(['web-01', 'web-02'], ago(10)),
      done(1, 'web-01', ago(9)),
      done(2, 'web-02', ago(8), { verdict: 'critical' }),
    );
    const answer = await ask('');
    expect(answer).toContain('*web-01*, *web-02* · 1 :red_circle: *critical*, 1 :large_green_circle: *ok*');
    expect(answer.split('check disk')).toHaveLength(2);

    expect(await ask('--csv')).toContain('3 rows as a file');
    const [file] = filesOf('UANN');
    expect(file?.title).toBe('Audit, the last 24h (csv)');
    const lines = file?.content.split('\r\n') ?? [];
    expect(lines[0]).toContain('at,until,kind,id,who,what,machines');
    expect(lines.filter((line) => line.includes('"run"'))).toHaveLength(2);
  });

  it('sends JSON lines to the person alone, wherever the question was typed', async () => {
    tell(accepted(1, 'web-01', ago(10)), done(1, 'web-01', ago(9)));
    under.channels.set('C1', false);
    under.slack.setMember('C1', false);
    expect(await ask('--json')).toContain('1 row as a file');
    under.slack.setMember('C1', true);
    const [file] = filesOf('UANN');
    expect(JSON.parse(file?.content ?? '')).toMatchObject({
      ...{ kind: 'run', who: 'UANN', what: 'check disk', machines: ['web-01'], result: 'ok' },
      ...{ at: '2027-01-15T07:50:00.000Z', until: '2027-01-15T07:51:00.000Z' },
    });
  });

  it('waits where Slack wants a pause, and says it where Slack refuses', async () => {
    tell(accepted(1, 'web-01', ago(10)));
    under.slack.trouble('files.completeUploadExternal', { kind: 'error', code: 'not_allowed' });
    expect(await ask('--csv')).toContain('could not be sent to you');
    under.slack.trouble('chat.postMessage', { kind: 'rate-limit', retryAfterS: 1 });
    expect(await ask('--csv')).toContain('1 row as a file');
    expect(filesOf('UANN')).toHaveLength(1);
  });

  it('says where what is kept at hand begins, and who can look further', async () => {
    under.controls.facts.begin = ago(30);
    tell(accepted(1, 'web-01', ago(10)));
    const answer = await ask('7d');
    expect(answer).toContain('begins at 2027-01-15 07:30:00 UTC');
    expect(answer).toContain('fleetbot ledger search');
    expect(await ask('20m')).not.toContain('ledger search');
  });

  it('tells what ended in the period with who asked for it before', async () => {
    tell(
      accepted(1, 'web-01', under.now - 30 * hourMs),
      done(1, 'web-01', ago(10)),
      done(2, 'web-02', ago(9)),
    );
    const answer = await ask('1h');
    expect(answer).toContain(
      '<@UANN> · check disk · *web-01* · :large_green_circle: *ok* · begun 2027-01-14',
    );
    expect(answer).toContain('asked before what could be read · run `r-m1abcdef0002` · *web-02*');
  });

  it('formats, mentions and computes nothing that foreign words ask for', async () => {
    const nasty = '=1+1 <!channel> *bold* <https://evil.example|click>';
    tell(
      accepted(1, 'web-01', ago(10), { task: { kind: 'ask', question: nasty } }),
      decided(1, 'web-01', ago(9), { decision: 'deny', reason: nasty }),
      { kind: 'request.denied', at: ago(8), by: ann, what: 'view', target: nasty, reason: nasty },
    );
    const answer = await ask('');
    for (const active of ['<!channel>', '*bold*', '<https://evil']) expect(answer).not.toContain(active);
    await ask('--csv');
    const [file] = filesOf('UANN');
    expect(file?.content).toContain(`"'=1+1 <!channel>`);
    expect(file?.content).not.toContain(',"=1+1');
  });

  it('counts what does not fit into a message', async () => {
    for (let n = 1; n <= 400; n += 1) tell(accepted(n, 'web-01', ago(n)));
    const answer = await ask('');
    expect(answer).toContain('400 runs: 400 *not over*');
    const shown = answer.split('check disk').length - 1;
    expect(shown).toBeGreaterThan(20);
    expect(answer).toContain(`and ${400 - shown} more: add `);
  });
});

describe('what somebody may see of it', () => {
  beforeEach(() => {
    under.fleet = fleetOf(
      [machine('web-01'), machine('web-02'), machine('db-01', { role: 'db' })],
      [{ people: ['UANN'] }, { people: ['UBEN'], machines: 'web-*' }],
    );
  });
  const everythingOf = async (user: string) => {
    const answer = await ask('', user);
    await ask('--json', user);
    await ask('--csv', user);
    return [answer, ...filesOf(user).map(({ content }) => content)].join('\n');
  };

  it('leaves out machines that they may not view, also of campaigns', async () => {
    tell(
      accepted(9, 'db-01', ago(20)),
      campaignOf(['web-01', 'db-01'], ago(10), { campaign: 'c-m1abcdef0000' }),
      done(1, 'web-01', ago(9)),
      done(2, 'db-01', ago(8), { verdict: 'critical' }),
      { kind: 'campaign.stopped', at: ago(7), campaign: 'c-m1abcdef0000', wave: 0, why: 'db-01 is critical' },
      accepted(7, 'db-01', ago(6), {
        campaign: 'c-m1abcdef0009',
        task: { kind: 'ask', question: 'burglars?' },
      }),
    );
    const seen = await everythingOf('UBEN');
    expect(seen).toContain('web-01');
    expect(seen).not.toContain('db-01');
    expect(seen).not.toContain('critical');
    expect(seen).not.toContain('burglars');
    expect(await everythingOf('UANN')).toContain('db-01 is critical');
  });

  it('names no hidden machine by a selector, a reason, or a supervisor that asked', async () => {
    const trace = { traceId: '1'.repeat(32), rootSpanId: '2'.repeat(16) };
    const schedule = {
      ...{ name: 'nightly', machines: 'web-02,db-01', task: { kind: 'check', check: 'disk' } as const },
      ...{ cron: '0 3 * * *', timeZone: 'UTC', jitterSeconds: 0, channel: 'C1' },
    };
    tell(
      {
        kind: 'halt.began',
        at: ago(9),
        by: ben,
        halt: 'h-1',
        selector: 'web-01,db-01',
        reason: 'db-01 burns',
      },
      { kind: 'halt.began', at: ago(8), by: ben, halt: 'h-2', selector: 'role=db', reason: 'the cellar' },
      { kind: 'halt.released', at: ago(7), by: ben, halt: 'h-2', selector: 'role=db' },
      {
        kind: 'silence.began',
        at: ago(6),
        by: ben,
        silence: 's-1',
        selector: 'db-*',
        until: ago(0),
        reason: 'move',
      },
      { kind: 'silence.ended', at: ago(5), silence: 's-1' },
      { kind: 'schedule.changed', at: ago(5), by: ben, change: 'added', schedule },
      accepted(1, 'web-01', ago(4), {
        by: { kind: 'supervisor', machine: 'db-01', run: 'r-m1abcdef0009', hops: 1, trace },
      }),
    );
    const seen = await everythingOf('UBEN');
    expect(seen).toContain('halted web-01 and machines that you may not view');
    expect(seen).toContain('on web-02 and machines that you may not view');
    expect(seen).toContain('supervisor:a machine that you may not view');
    for (const secret of ['db-01', 'db-*', 'role=db', 'burns', 'cellar', 's-1', 'h-2', 'r-m1abcdef0009']) {
      expect(seen, secret).not.toContain(secret);
    }
  });

  it('names no hidden machine that a selector leaves out, or that the fleet no longer has', async () => {
    const began = { kind: 'halt.began', at: ago(9), by: ben } as const;
    tell(
      { ...began, halt: 'h-1', selector: 'web-*&!db-01', reason: 'all but the cellar' },
      { ...began, halt: 'h-2', selector: 'web-02,vault-09', reason: 'vault-09 moves' },
      { ...began, halt: 'h-3', selector: 'web-*&!db-*', reason: 'the databases go on' },
      { ...began, halt: 'h-4', selector: 'web-*&!web-02', reason: 'patches' },
    );
    const seen = await everythingOf('UBEN');
    expect(seen).toContain('halted web-01,web-02 and machines that you may not view');
    expect(seen).toContain('halted web-*&!web-02');
    for (const secret of ['db-', 'cellar', 'vault', 'databases']) expect(seen, secret).not.toContain(secret);
    expect(await everythingOf('UANN')).toContain('vault-09 moves');
  });

  it('tells refusals to whoever was refused, and to whoever may view everything', async () => {
    tell(
      {
        kind: 'request.denied',
        at: ago(3),
        by: { ...ben, userId: 'UGUS' },
        what: 'act',
        target: 'run boom web-01',
        reason: 'guest',
      },
      { kind: 'request.denied', at: ago(2), by: ben, what: 'halt', target: 'halt web-01', reason: 'may not' },
    );
    const seen = await everythingOf('UBEN');
    expect(seen).toContain('halt web-01');
    expect(seen).not.toContain('boom');
    expect(await everythingOf('UANN')).toContain('run boom web-01');
    expect(await ask('web-01')).toContain('2 other things');
    expect(await ask('web-02')).toContain('Nothing happened');
  });

  it('tells what concerns no machine to whoever may view everything', async () => {
    const counts = { alerts: 1, firing: 1, notifications: 1, unmatched: 0 };
    tell(
      {
        kind: 'incident.opened',
        at: ago(3),
        incident: 'i-1',
        source: 'am',
        alert: 'DiskFull',
        channel: 'C1',
        storm: false,
        counts,
      },
      { kind: 'budget.exceeded', at: ago(2), budget: 'team', period: '2027-01', limitUsd: 5, spentUsd: 6 },
      {
        ...({
          kind: 'policy.changed',
          at: ago(1),
          digest: 'ab',
          before: 'cd',
          machines: 3,
          added: ['db-01'],
        } as const),
        ...{ removed: [], changed: [], accessChanged: true },
      },
      {
        kind: 'quarantine.changed',
        at: ago(1),
        machine: 'db-01',
        quarantined: true,
        reason: 'its agent runs',
      },
    );
    expect(await ask('', 'UBEN')).toContain('Nothing happened that you may view.');
    const all = await everythingOf('UANN');
    for (const fact of ['DiskFull', 'budget team of 2027-01', 'added: db-01', 'quarantined it']) {
      expect(all).toContain(fact);
    }
  });

  it('refuses whoever may view nothing, and whoever names a machine that they may not view', async () => {
    expect(await ask('', 'UOLD')).not.toContain('Audit');
    expect(await ask('db-01', 'UBEN')).toContain('db-01');
    expect(await ask('db-*', 'UBEN')).toContain('You may not `view` any machine');
  });

  it('keeps the history of a machine that is no longer in the fleet for whoever may view everything', async () => {
    tell(accepted(1, 'old-01', ago(10)), done(1, 'old-01', ago(9)));
    expect(await ask('old-01')).toContain('*old-01*');
    expect(await ask('old-01 5m')).toContain('No machine matches `old-01`, today or in the last 5m.');
    expect(await ask('', 'UBEN')).not.toContain('old-01');
    expect(await ask('old-01', 'UBEN')).toContain('No machine matches `old-01`.');
  });
});
