import { describe, expect, it } from 'vitest';
import { CostSums } from '../../src/fleet/cost-report.ts';
import type { SpendingRow } from '../../src/fleet/spending.ts';
import { aRow } from './any-spending.ts';

const top = { machine: 2, spender: 2, model: 2, time: 2 };

function reportOf(...rows: readonly SpendingRow[]) {
  const sums = new CostSums();
  // As they come, one after the other.
  for (const row of rows) sums.add([row]);
  return sums.report(top);
}

describe('a report of costs', () => {
  it('adds up all together and by each thing, most first', () => {
    const report = reportOf(
      aRow({ microUsd: 10 }),
      aRow({ machine: 'rhel-02', microUsd: 30, model: 'n' }),
      aRow({ time: '2026-11-22', spender: 'alerts', microUsd: 5 }),
    );
    expect(report.total).toMatchObject({ activations: 3, microUsd: 45 });
    const named = (part: keyof typeof top) =>
      report[part].lines.map(({ name, spent }) => `${name} ${spent.microUsd}`);
    expect(named('machine')).toEqual(['rhel-02 30', 'rhel-01 15']);
    expect(named('spender')).toEqual(['U1 40', 'alerts 5']);
    expect(named('model')).toEqual(['n 30', 'm 15']);
  });

  it('has the newest days first', () => {
    const days = ['2026-11-21', '2026-11-23', '2026-11-22'].map((time) => aRow({ time }));
    const { time } = reportOf(...days);
    expect(time.lines.map(({ name }) => name)).toEqual(['2026-11-23', '2026-11-22']);
    expect(time.rest).toMatchObject({ count: 1, spent: { activations: 1 } });
  });

  it('sums up what stands in no line, and loses nothing', () => {
    const rows = [1, 2, 3, 4].map((number) => aRow({ machine: `rhel-0${number}`, microUsd: number }));
    const { machine, total } = reportOf(...rows);
    expect(machine.lines.map(({ name }) => name)).toEqual(['rhel-04', 'rhel-03']);
    expect(machine.rest).toMatchObject({ count: 2, spent: { microUsd: 3 } });
    expect(total.microUsd).toBe(10);
  });

  it('names every model without a price, however little it was used', () => {
    const rows = ['a', 'b', 'c'].map((model) => aRow({ model }));
    const unpriced = aRow({ model: 'local', microUsd: 0, unpriced: 1 });
    expect(reportOf(...rows, unpriced, aRow({ model: undefined, unpriced: 2 })).unpriced).toMatchObject([
      { name: undefined, spent: { unpriced: 2 } },
      { name: 'local', spent: { unpriced: 1 } },
    ]);
  });

  it('of nothing is nothing', () => {
    expect(reportOf()).toMatchObject({ total: { activations: 0 }, machine: { lines: [], rest: undefined } });
  });
});
