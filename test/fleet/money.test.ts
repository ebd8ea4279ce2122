import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMicroUsd, formatUsd, roundUsd, toMicroUsd, toUsd } from '../../src/fleet/money.ts';

describe('money', () => {
  it.each([
    [0, '$0.00'],
    [1, '$0.000001'],
    [4_200, '$0.0042'],
    [9_999, '$0.01'],
    [10_000, '$0.01'],
    [1_230_000, '$1.23'],
    [1_234_500_000, '$1,234.50'],
  ])('of %i micro-dollars is told as %s', (micro, words) => {
    expect(formatMicroUsd(micro)).toBe(words);
  });

  it('that is not nothing is never told as nothing', () => {
    expect(formatUsd(1e-12)).toBe('$0.000001');
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: 1e6, noNaN: true }), (usd) => {
        expect(formatUsd(usd)).not.toBe('$0.00');
      }),
    );
  });

  it('is counted in whole micro-dollars', () => {
    expect(toMicroUsd(0.1 + 0.2)).toBe(300_000);
    expect(toUsd(toMicroUsd(12.345678))).toBe(12.345678);
    expect(roundUsd(0.0045000000000000005)).toBe(0.0045);
  });
});
