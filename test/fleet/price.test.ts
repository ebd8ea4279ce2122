import { expect, it } from 'vitest';
import { costOf, costsOf } from '../../src/fleet/price.ts';

const usage = {
  inputTokens: 1_000_000,
  outputTokens: 100_000,
  cacheReadTokens: 600_000,
  cacheWriteTokens: 200_000,
};
const plain = { inputUsdPerMillion: 2, outputUsdPerMillion: 10 };
const classes = { ...plain, cacheReadUsdPerMillion: 0.5, cacheWriteUsdPerMillion: 3 };

it('input from a cache and into one is part of the input, at its own price', () => {
  const costs = costsOf(usage, 'm', { m: classes });
  expect(costs?.inputUsd).toBeCloseTo(0.4 + 0.3 + 0.6);
  expect(costs?.outputUsd).toBeCloseTo(1);
  expect(costOf(usage, 'm', { m: classes })).toBeCloseTo(2.3);
});

it('without a price of its own it costs what any other input does', () => {
  expect(costsOf(usage, 'm', { m: plain })).toEqual({ inputUsd: 2, outputUsd: 1, totalUsd: 3 });
});

it('what a model costs that has no price is not known', () => {
  for (const model of [undefined, 'other', 'toString']) {
    expect(costsOf(usage, model, { m: plain })).toBeUndefined();
    expect(costOf(usage, model, { m: plain })).toBeUndefined();
  }
});
