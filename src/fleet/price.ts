import { z } from 'zod';
import type { Usage } from './usage.ts';

/** More is a mistake; sums of what costs so much stay numbers that are exact. */
const usdPerMillionMax = 1_000_000;
const usdPerMillion = z.number().nonnegative().max(usdPerMillionMax);

/** What a model costs, in US dollars for a million tokens. */
export const priceSchema = z.strictObject({
  inputUsdPerMillion: usdPerMillion,
  outputUsdPerMillion: usdPerMillion,
  /** Input that was read from a cache. Default: as any other input. */
  cacheReadUsdPerMillion: usdPerMillion.optional(),
  /** Input that was written into a cache. Default: as any other input. */
  cacheWriteUsdPerMillion: usdPerMillion.optional(),
});
export type Price = z.infer<typeof priceSchema>;

/** By the model's name as the agent reports it. */
export type Prices = Readonly<Record<string, Price>>;

const million = 1_000_000;

/** What tokens cost, in US dollars. */
export interface Cost {
  readonly inputUsd: number;
  readonly outputUsd: number;
  readonly totalUsd: number;
}

/** What the tokens cost; undefined where the model or its price is not known. */
export function costsOf(usage: Usage, model: string | undefined, prices: Prices): Cost | undefined {
  const price = model !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;
  if (price === undefined) return undefined;
  const { inputUsdPerMillion: input, outputUsdPerMillion: output } = price;
  const { cacheReadUsdPerMillion: read = input, cacheWriteUsdPerMillion: write = input } = price;
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const freshTokens = inputTokens - cacheReadTokens - cacheWriteTokens;
  const inputs = freshTokens * input + cacheReadTokens * read + cacheWriteTokens * write;
  const outputs = outputTokens * output;
  return {
    inputUsd: inputs / million,
    outputUsd: outputs / million,
    totalUsd: (inputs + outputs) / million,
  };
}

/** The same, in and out together. */
export function costOf(usage: Usage, model: string | undefined, prices: Prices): number | undefined {
  return costsOf(usage, model, prices)?.totalUsd;
}
