import { describe, expect, it } from 'vitest';
import { Attention } from '../../../src/supervisors/reconciler/attention.ts';

const wants = new Map([['web-1', 'halted']]);

describe('a machine that needs attention', () => {
  it('is visited at once, and not again before that visit has ended', () => {
    const attention = new Attention(15_000);
    expect(attention.due(wants, 0)).toEqual(['web-1']);
    expect(attention.due(wants, 900_000)).toEqual([]);
  });

  it('that does not answer is visited less and less often, at least every two minutes', () => {
    const attention = new Attention(15_000);
    const gaps: number[] = [];
    let visitedAt = 0;
    for (let now = 0; gaps.length < 6; now += 1_000) {
      if (attention.due(wants, now).length === 0) continue;
      if (now > 0) gaps.push(now - visitedAt);
      visitedAt = now;
      attention.ended('web-1', 'unreachable', now);
    }
    expect(gaps).toEqual([15_000, 30_000, 60_000, 120_000, 120_000, 120_000]);
  });

  it('is visited at once when something else is wanted of it', () => {
    const attention = new Attention(15_000);
    attention.due(wants, 0);
    attention.ended('web-1', 'unreachable', 0);
    expect(attention.due(new Map([['web-1', 'resumed']]), 1)).toEqual(['web-1']);
  });

  it('is forgotten when it needs none any more', () => {
    const attention = new Attention(15_000);
    attention.due(wants, 0);
    attention.due(new Map(), 1);
    attention.ended('web-1', 'unreachable', 2);
    expect(attention.due(wants, 3)).toEqual(['web-1']);
  });
});
