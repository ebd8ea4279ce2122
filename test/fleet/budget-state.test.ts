import { describe, expect, it } from 'vitest';
import {
  type BudgetState,
  budgetStates,
  isUsedUp,
  refusedWords,
  spentWords,
  timesNeeded,
  usedUpFinder,
  usedUpWords,
} from '../../src/fleet/budget-state.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import type { SpendingRow } from '../../src/fleet/spending.ts';
import { aRow } from './any-spending.ts';
import { hostKey } from './fixtures.ts';

const now = Date.parse('2026-11-23T12:00:00Z');
const ask = { kind: 'ask', question: 'Why?' } as const;
const check = { kind: 'check', check: 'disk' } as const;
const act = { kind: 'act', action: 'vacuum-journal', params: {} } as const;

function fleetWith(...budgets: readonly string[]): Fleet {
  const machine = (name: string, index: number, more: string) =>
    `  - { name: ${name}, address: ${name}.test, hostKey: ${hostKey(index)}${more} }\n`;
  const machines = `${machine('rhel-01', 1, ', role: web')}${machine('rhel-02', 2, ', agent: { diagnose: never }')}`;
  return loadFleet(
    `version: 1\nmachines:\n${machines}prices: { m: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } }\nbudgets:\n${budgets.map((each) => `  - { ${each} }\n`).join('')}`,
    'fleet.yaml',
  );
}
const machineOf = (fleet: Fleet, name: string) => {
  const machine = fleet.machines.get(name);
  if (machine === undefined) throw new Error(`no ${name}`);
  return machine;
};
const statesOf = (budget: string, ...rows: readonly SpendingRow[]): readonly BudgetState[] =>
  budgetStates(fleetWith(budget), rows, now);
const spentOf = (budget: string, ...rows: readonly SpendingRow[]) =>
  statesOf(budget, ...rows)[0]?.spent.microUsd;

describe('a budget', () => {
  it('counts what was spent in its period, in UTC', () => {
    const rows = [aRow(), aRow({ time: '2026-11-22' }), aRow({ time: '2026-11', microUsd: 77 })];
    expect(spentOf('name: a, usd: 1, per: day', ...rows)).toBe(10_000);
    expect(spentOf('name: a, usd: 1, per: month', ...rows)).toBe(77);
    expect(
      timesNeeded(fleetWith('name: a, usd: 1, per: day', 'name: b, usd: 1, per: day').budgets, now),
    ).toEqual(['2026-11-23']);
  });

  it.each([
    ['day', '2026-11-23', '2026-11-24T00:00:00Z'],
    ['month', '2026-11', '2026-12-01T00:00:00Z'],
  ])('per %s begins anew at midnight, UTC', (per, period, anew) => {
    expect(statesOf(`name: a, usd: 1, per: ${per}`)).toMatchObject([{ period, anewAt: Date.parse(anew) }]);
  });

  it('counts its machines and its people, and both where it names both', () => {
    const rows = [
      aRow({ spender: 'U123', microUsd: 1 }),
      aRow({ spender: 'U123', machine: 'rhel-02', microUsd: 10 }),
      aRow({ spender: 'U999', microUsd: 100 }),
      aRow({ spender: 'alerts', machine: 'rhel-02', microUsd: 1_000 }),
    ];
    const perDay = 'name: a, usd: 1, per: day';
    expect(spentOf(perDay, ...rows)).toBe(1_111);
    expect(spentOf(`${perDay}, machines: role=web`, ...rows)).toBe(101);
    expect(spentOf(`${perDay}, people: [U123]`, ...rows)).toBe(11);
    expect(spentOf(`${perDay}, people: [U123, U999]`, ...rows)).toBe(111);
    expect(spentOf(`${perDay}, people: [U123], machines: role=web`, ...rows)).toBe(1);
  });

  it('of all machines counts one that left the fleet file, which no label names any more', () => {
    const gone = aRow({ machine: 'gone-01' });
    expect(spentOf('name: a, usd: 1, per: day', gone)).toBe(10_000);
    expect(spentOf('name: a, usd: 1, per: day, machines: all', gone)).toBe(10_000);
    expect(spentOf('name: a, usd: 1, per: day, machines: "!role=web"', gone)).toBe(0);
  });

  it('is used up by its last micro-dollar', () => {
    const [under] = statesOf('name: a, usd: 0.02, per: day', aRow({ microUsd: 19_999 }));
    const [full] = statesOf('name: a, usd: 0.02, per: day', aRow({ microUsd: 20_000 }));
    expect([under, full].map((state) => state && isUsedUp(state))).toEqual([false, true]);
  });

  it('says what is spent, when it begins anew, what still works and who can help', () => {
    const [state] = statesOf('name: web, usd: 0.01, per: day', aRow({ microUsd: 12_000, untold: 1 }));
    if (state === undefined) throw new Error('no state');
    expect(spentWords(state)).toBe('at least $0.01 of $0.01 on 2026-11-23');
    expect(usedUpWords(state)).toBe(
      'the budget web is used up: at least $0.01 of $0.01 on 2026-11-23; it begins anew at 2026-11-24 00:00:00 UTC',
    );
    expect(refusedWords(state)).toMatch(
      /^The budget web is used up: .*still works: actions.*fleet file can raise it/,
    );
    const softer = { ...state, budget: { ...state.budget, whenSpent: 'evidence-only' as const } };
    expect(refusedWords(softer)).toContain('Checks still run, without the agent');
  });
});

describe('a budget that is used up', () => {
  const rows = [aRow({ microUsd: 1_000_000, spender: 'U123' })];
  const inTheWay = (
    budgets: readonly string[],
    spender: string,
    task?: typeof ask | typeof check | typeof act,
  ) => {
    const fleet = fleetWith(...budgets);
    const find = usedUpFinder(budgetStates(fleet, rows, now), spender, task);
    return ['rhel-01', 'rhel-02'].map((name) => find(machineOf(fleet, name))?.budget.name);
  };
  const stop = 'name: hard, usd: 1, per: day';
  const soft = 'name: soft, usd: 1, per: day, whenSpent: evidence-only';

  it('refuses what may want the agent, and never an action', () => {
    expect(inTheWay([stop], 'U1', ask)).toEqual(['hard', 'hard']);
    expect(inTheWay([stop], 'U1', check)).toEqual(['hard', undefined]);
    expect(inTheWay([stop], 'U1', act)).toEqual([undefined, undefined]);
  });

  it('lets checks go on where only the agent is to be spared', () => {
    expect(inTheWay([soft], 'U1', check)).toEqual([undefined, undefined]);
    expect(inTheWay([soft], 'U1', ask)).toEqual(['soft', 'soft']);
    expect(inTheWay([soft, stop], 'U1', check)).toEqual(['hard', undefined]);
  });

  it('lets no agent start, whatever is asked', () => {
    expect(inTheWay([soft], 'alerts')).toEqual(['soft', 'soft']);
  });

  it('is none of the business of other people and machines', () => {
    expect(inTheWay([`${stop}, people: [U123]`], 'U999', ask)).toEqual([undefined, undefined]);
    expect(inTheWay([`${stop}, machines: role=web`], 'U123', ask)).toEqual(['hard', undefined]);
  });
});
