import { describe, expect, it } from 'vitest';
import { compareFleets } from '../../src/fleet/compare-fleets.ts';
import { fleetDigest } from '../../src/fleet/fleet-digest.ts';
import { loadFleet, readFleet } from '../../src/fleet/load-fleet.ts';
import { hostKey } from './fixtures.ts';

const good = 'name: web, usd: 10, per: day, machines: rhel-01, people: [U0ANN]';
const prices = 'prices: { m: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } }\n';
const withBudgets = (rows: readonly string[], more = prices): string =>
  `version: 1\nmachines: [{ name: rhel-01, address: a.test, hostKey: ${hostKey(1)} }]\nbudgets:\n${rows.map((row) => `  - { ${row} }\n`).join('')}${more}`;

describe('a budget of the fleet file', () => {
  it.each([
    [
      'no limit',
      good.replace('usd: 10, ', ''),
      'fleet.yaml:4: budgets[0].usd: is missing. Write US dollars such as "usd: 10"',
    ],
    ['a limit below nothing', good.replace('usd: 10', 'usd: -1'), 'Write US dollars such as "usd: 10"'],
    ['a limit of nothing', good.replace('usd: 10', 'usd: 0'), 'budgets[0].usd'],
    ['a limit of less than is counted', good.replace('usd: 10', 'usd: 1.0e-7'), 'budgets[0].usd'],
    ['another time than day and month', good.replace('day', 'week'), 'budgets[0].per'],
    ['a machine that is not there', good.replace('rhel-01', 'rhel-02'), 'names the machine "rhel-02"'],
    ['a selector that is none', good.replace('rhel-01', 'a b'), '"a b" is not a selector'],
    ['a group in place of people', good.replace('U0ANN', 'S0ANN'), 'budgets[0].people[0]'],
    ['a word that it does not know', `${good}, then: stop`, 'then'],
  ])('cannot have %s', (_what, row, problem) => {
    expect(() => loadFleet(withBudgets([row]), 'fleet.yaml')).toThrow(problem);
  });

  it('has a name of its own', () => {
    const problem =
      'fleet.yaml:5: budgets[1].name: "web" stands on line 4 already. Give each budget a name of its own';
    expect(() => loadFleet(withBudgets([good, good]), 'fleet.yaml')).toThrow(problem);
  });

  it('is never held against a price that would make sums inexact', () => {
    const text = withBudgets([good], prices.replace('inputUsdPerMillion: 1', 'inputUsdPerMillion: 1.0e+300'));
    expect(() => loadFleet(text, 'fleet.yaml')).toThrow('inputUsdPerMillion');
  });

  it('is doubted where no model has a price', () => {
    const warnings = (more?: string) =>
      readFleet(withBudgets([good], more), 'f').warnings.map(
        ({ line, path, problem }) => `${line} ${path}: ${problem}`,
      );
    expect(warnings()).toEqual([]);
    expect(warnings('')).toEqual([
      '3 budgets: they never run out: no model has a price, so nothing that agents cost is known',
    ]);
  });

  it('is doubted where it is for machines that are not there', () => {
    const rows = ['role=wbe', 'rhel-*', 'all'].map((selector, nth) =>
      good.replace('web', `web-${nth}`).replace('rhel-01', `"${selector}"`),
    );
    expect(readFleet(withBudgets(rows), 'f').warnings).toMatchObject([
      { line: 4, path: 'budgets[0].machines', problem: 'it never runs out: no machine matches "role=wbe"' },
    ]);
  });

  it('and prices, when they change, are a change of costs', () => {
    const before = loadFleet(withBudgets([good]), 'f');
    for (const text of [
      withBudgets([good.replace('10', '11')]),
      withBudgets([good], prices.replace('1', '3')),
    ]) {
      const after = loadFleet(text, 'f');
      expect(compareFleets(before, after)).toMatchObject({ costsChanged: true, accessChanged: false });
      expect(fleetDigest(after)).not.toBe(fleetDigest(before));
    }
  });
});
