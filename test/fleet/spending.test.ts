import { describe, expect, it } from 'vitest';
import type { Requester } from '../../src/fleet/requester.ts';
import { daysOf, spenderOf, spendingDaysKept, spentBy, sumOf, timesOf } from '../../src/fleet/spending.ts';
import { aRow } from './any-spending.ts';

const ann = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
const now = Date.parse('2026-11-23T12:00:00Z');
const dayMs = 24 * 3_600_000;

describe('what an activation used', () => {
  it('is counted with its cost in micro-dollars', () => {
    const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60 };
    expect(spentBy({ usage, costUsd: 0.0042 })).toEqual({
      ...{ activations: 1, inputTokens: 100, outputTokens: 20, cacheReadTokens: 60, cacheWriteTokens: 0 },
      ...{ microUsd: 4_200, unpriced: 0, untold: 0 },
    });
  });

  it('has no price, or was not told: never is it nothing', () => {
    expect(spentBy({ usage: { inputTokens: 1, outputTokens: 1 } })).toMatchObject({ unpriced: 1, untold: 0 });
    expect(spentBy({})).toMatchObject({ activations: 1, unpriced: 0, untold: 1 });
  });

  it('can be free of charge', () => {
    const free = spentBy({ usage: { inputTokens: 1, outputTokens: 1 }, costUsd: 0 });
    expect(free).toMatchObject({ microUsd: 0, unpriced: 0, untold: 0 });
  });

  it.each<[Requester, string]>([
    [ann, 'UANN'],
    [{ kind: 'schedule', schedule: 'nightly', by: ann }, 'UANN'],
    [{ kind: 'schedule', schedule: 'nightly' }, 'schedule:nightly'],
    [{ kind: 'alert', incident: 'i-1' }, 'alerts'],
    [
      {
        ...{ kind: 'supervisor', machine: 'web-01', run: 'r-1', hops: 1 },
        trace: { traceId: '0'.repeat(32), rootSpanId: '0'.repeat(16) },
      },
      'supervisors',
    ],
  ])('counts for the person behind it, or what asked: %o', (requester, spender) => {
    expect(spenderOf(requester)).toBe(spender);
  });
});

describe('sums', () => {
  it('are of UTC days and months', () => {
    expect(timesOf(Date.parse('2026-11-30T23:59:59.999Z'))).toEqual({ day: '2026-11-30', month: '2026-11' });
    expect(timesOf(Date.parse('2026-12-01T00:00:00Z'))).toEqual({ day: '2026-12-01', month: '2026-12' });
  });

  it('of a period are those of every day that it touches and that has begun', () => {
    const month = { from: Date.UTC(2026, 10), to: Date.UTC(2026, 11) };
    expect(daysOf(month, now).at(0)).toBe('2026-11-01');
    expect(daysOf(month, now).at(-1)).toBe('2026-11-23');
    expect(daysOf({ from: now - dayMs, to: now + 1 }, now)).toEqual(['2026-11-22', '2026-11-23']);
    expect(daysOf({ from: Date.UTC(2026, 10, 22), to: Date.UTC(2026, 10, 23) }, now)).toEqual(['2026-11-22']);
    expect(daysOf({ from: 0, to: now + 1 }, now)).toHaveLength(spendingDaysKept + 1);
  });

  it('add up field by field', () => {
    expect(sumOf([aRow(), aRow({ untold: 1, microUsd: 5 })])).toMatchObject({
      ...{ activations: 2, inputTokens: 200, outputTokens: 40, microUsd: 10_005, untold: 1 },
    });
  });
});
