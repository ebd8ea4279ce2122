import { z } from 'zod';
import type { Usage } from './usage.ts';

/** What a model costs, in US dollars for a million tokens. */
export const priceSchema = z.strictObject({
  inputUsdPerMillion: z.number().nonnegative(),
  outputUsdPerMillion: z.number().nonnegative(),
  /** Input that was read from a cache. Default: as any other input. */
  cacheReadUsdPerMillion: z.number().nonnegative().optional(),
  /** Input that was written into a cache. Default: as any other input. */
  cacheWriteUsdPerMillion: z.number().nonnegative().optional(),
});
export type Price = z.infer<typeof priceSchema>;

/** By the model's name as the agent reports it. */
export type Prices = Readonly<Record<string, Price>>;

const million = 1_000_000;

/** What the tokens cost in US dollars; undefined where the model or its price is not known. */
export function costOf(usage: Usage, model: string | undefined, prices: Prices): number | undefined {
  const price = model !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;
  if (price === undefined) return undefined;
  const { inputUsdPerMillion: input, outputUsdPerMillion: output } = price;
  const { cacheReadUsdPerMillion: read = input, cacheWriteUsdPerMillion: write = input } = price;
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const freshTokens = inputTokens - cacheReadTokens - cacheWriteTokens;
  return (
    (freshTokens * input + cacheReadTokens * read + cacheWriteTokens * write + outputTokens * output) /
    million
  );
}
