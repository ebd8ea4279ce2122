import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BudgetState } from '../../src/fleet/budget-state.ts';
import { sumOf } from '../../src/fleet/spending.ts';
import { aRow } from '../fleet/any-spending.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
const { controls } = test;
const { spending } = controls;
/** The day of `test.now`. */
const today = '2027-01-15';

beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  test.slack.messages.length = 0;
  test.fleet = fleetOf(
    [machine('web-01'), machine('web-02'), machine('db-01', { role: 'db' })],
    [{ people: ['UANN'] }, { people: ['UBEN'], machines: 'web-*' }],
  );
});

const spend = (changes: Parameters<typeof aRow>[0]) =>
  spending.spent.push(aRow({ time: today, machine: 'web-01', spender: 'UANN', ...changes }));
const told = async (command: string, user = 'UANN') => (await test.command(command, { user })).text;

function standing(name: string, changes: Partial<BudgetState['budget']>, microUsd: number): BudgetState {
  return {
    budget: { name, usd: 10, per: 'day', ...changes },
    ...{ period: today, anewAt: test.now + 3_600_000, limitMicroUsd: 10_000_000 },
    spent: sumOf([aRow({ microUsd })]),
  };
}

describe('/fleet cost', () => {
  it('tells what the agents cost in the last 30 days, by machine, person, model and day', async () => {
    spend({ microUsd: 1_200_000, inputTokens: 10_000, cacheReadTokens: 8_000 });
    spend({ machine: 'db-01', spender: 'alerts', model: 'n', microUsd: 4_200 });
    spend({ time: '2026-12-17', microUsd: 1_000_000 });
    spend({ time: '2026-12-01', microUsd: 77_000_000 });
    const text = await told('cost');
    expect(text).toContain('What the agents cost: 2026-12-16 to 2027-01-15');
    expect(text).toContain('*$2.20* · 3 activations · 10,200 tokens in (8,000 read from a cache), 60 out');
    expect(text).toContain('• *web-01* · $2.20 · 2 activations');
    expect(text).toContain('• *db-01* · $0.0042 · 1 activation');
    expect(text).toContain('• <@UANN> · $2.20');
    expect(text).toContain('• alerts · $0.0042');
    expect(text).toContain('• `n` · $0.0042');
    expect(text).toContain(`• ${today} · $1.20 · 2 activations`);
    expect(text).toContain('whole days, UTC · sums are kept for 400 days"');
  });

  it('is titled with the days that it sums up, and says what is kept no longer', async () => {
    expect(await told('cost 2h')).toContain('What the agents cost: 2027-01-15:');
    const text = await told('cost 1000d');
    expect(text).toContain('What the agents cost: 2025-12-11 to 2027-01-15');
    expect(text).toContain('sums are kept for 400 days: what was before 2025-12-11 is not in it');
  });

  it('says what is not known, and never counts it as nothing', async () => {
    spend({ model: 'local', microUsd: 0, unpriced: 1, activations: 4 });
    spend({ model: undefined, microUsd: 0, untold: 1 });
    spend({ microUsd: 10_000 });
    const text = await told('cost today');
    expect(text).toContain('*at least $0.01* · 6 activations');
    expect(text).toContain('no price is known for `local` (1 activation): add it under `prices`');
    expect(text).toContain('1 activation told nothing of what was used');
    expect(text).toContain('• a model that was not told · cost unknown');
  });

  it('does not ask for the price of a model that was not told', async () => {
    spend({ model: undefined, microUsd: 0, unpriced: 1 });
    const text = await told('cost today');
    expect(text).toContain('1 activation told tokens, but no model');
    expect(text).not.toContain('no price is known');
  });

  it('does not say of a time of which no sums are kept that nothing was used', async () => {
    const text = await told('cost 2024-01-01..2024-01-31');
    expect(text).toContain('no sums are kept of it');
    expect(text).not.toContain('No agent was at work');
  });

  it('is narrowed down by a selector, a person and a period, in any order', async () => {
    spend({ microUsd: 1_000_000 });
    spend({ microUsd: 20_000, spender: 'UBEN' });
    spend({ microUsd: 3_000, machine: 'db-01', spender: 'UBEN' });
    spend({ microUsd: 400, machine: 'db-01', spender: 'UBEN', time: '2027-01-14' });
    expect(await told('cost db-01 2027-01-14')).toContain('*$0.0004* · 1 activation');
    expect(await told('cost 7d <@UBEN> role=db')).toContain('*$0.0034* · 2 activations');
    expect(await told('cost me')).toContain('*$1.00* · 1 activation');
    expect(await told('cost web-02')).toContain('No agent was at work.');
  });

  it('tells nothing of machines that the person may not view', async () => {
    spend({ microUsd: 1_000_000 });
    spend({ microUsd: 20_000, machine: 'db-01' });
    spend({ microUsd: 3_000, machine: 'gone-01' });
    const text = await told('cost', 'UBEN');
    expect(text).toContain('*$1.00* · 1 activation');
    expect(text).not.toMatch(/db-01|gone-01/);
    expect(await told('cost db-01', 'UBEN')).toContain('You may not view db-01');
    expect(await told('cost', 'UANN')).toContain('• *gone-01* · $0.003');
  });

  it('shows how the budgets stand, to those who may view all their machines', async () => {
    spending.standing.push(
      standing('fleet', {}, 4_500_000),
      standing('web', { machines: 'web-*' }, 10_500_000),
    );
    const all = await told('cost');
    expect(all).toContain(`• fleet · $4.50 of $10.00 on ${today} · 45 %`);
    expect(all).toContain(`• web · $10.50 of $10.00 on ${today} · :moneybag: *used up*; it begins anew at`);
    const part = await told('cost', 'UBEN');
    expect(part).toContain('• web · ');
    expect(part).not.toContain('• fleet · ');
  });

  it('tells in what is shown of a machine which budgets are used up there, and no sums', async () => {
    spending.standing.push(
      standing('fleet', { people: ['UBEN'], whenSpent: 'evidence-only' }, 10_000_000),
      standing('web', { machines: 'web-*' }, 10_500_000),
      standing('web-left', { machines: 'web-*' }, 9_000_000),
      standing('db', { machines: 'db-*' }, 10_500_000),
    );
    const text = await told('show web-01', 'UBEN');
    expect(text).toMatch(
      /:moneybag: \*used up\*: the budget `fleet` \(until [^)]+, for one person, checks go on without the agent\), the budget `web` \(until [^,]+\)"/,
    );
    expect(text).not.toContain('10.50');
  });

  it.each([
    ['yesterdy', 'Did you mean `yesterday`?'],
    ['@alex', 'A person is a mention'],
  ])('answers `%s` with what to type instead', async (word, answer) => {
    expect(await told(`cost ${word}`)).toContain(answer);
  });

  it('can be had as a file, a row for each day, machine, person and model', async () => {
    spend({ microUsd: 4_200, model: '=cmd()' });
    spend({ microUsd: 1_000_000, spender: 'alerts', model: undefined, untold: 1 });
    expect(await told('cost --csv')).toContain('2 rows as a file');
    expect(await told('cost --json')).toContain('2 rows as a file');
    const files = test.slack.messages
      .filter(({ channel }) => channel === 'DANN')
      .flatMap(({ files = [] }) => files.map(({ title, content }) => [title, content]));
    expect(files).toEqual([
      [
        'What the agents cost, 2026-12-16 to 2027-01-15 (csv)',
        'day,machine,spender,model,activations,inputTokens,outputTokens,cacheReadTokens,cacheWriteTokens,unpriced,untold,costUsd\r\n' +
          `"${today}","web-01","UANN","'=cmd()","1","100","20","0","0","0","0","0.0042"\r\n` +
          `"${today}","web-01","alerts","","1","100","20","0","0","0","1","1"\r\n`,
      ],
      [
        'What the agents cost, 2026-12-16 to 2027-01-15 (json)',
        expect.stringContaining('"costUsd":0.0042}\n'),
      ],
    ]);
  });

  it('says that the store is away, and what is no period', async () => {
    expect(await told('cost 99x 7d 7d')).toContain('One period at a time');
    spending.away = true;
    expect(await told('cost')).toContain('could not reach its store');
  });
});

describe('a request for which a budget is used up', () => {
  const why = 'The budget web is used up: $10.02 of $10.00 on 2027-01-15; it begins anew at midnight.';

  it('is refused with the reason, counted and recorded; nothing is stored', async () => {
    spending.refused.set('web-01', why);
    expect(await told('ask web-01 why is it slow?')).toContain(why);
    expect(test.requests.stored).toEqual([]);
    expect(controls.counted).toEqual(['limited budget']);
    await vi.waitFor(() => expect(controls.entries).toHaveLength(1));
    expect(controls.entries[0]).toMatchObject({ kind: 'request.limited', what: 'ask', reason: why });
  });

  it('of a campaign is left out and named, also in the record; the others are served', async () => {
    spending.refused.set('web-01', why);
    const text = await told('check all disk');
    expect(text).toContain(`Left out: \`web-01\`. ${why}`);
    expect(test.requests.stored.map(({ request }) => request.machine)).toEqual(['web-02', 'db-01']);
    expect([...test.requests.campaigns.values()]).toMatchObject([{ leftOut: [{ machine: 'web-01', why }] }]);
    expect(controls.counted).toEqual(['limited budget', 'accepted check 2']);
  });

  it('is not let through where it cannot be known', async () => {
    spending.away = true;
    expect(await told('check web-01 disk')).toContain('could not reach its store');
    expect(test.requests.stored).toEqual([]);
  });
});
