import { z } from 'zod';

/** What a model costs, in US dollars for a million tokens. */
export const priceSchema = z.strictObject({
  inputUsdPerMillion: z.number().nonnegative(),
  outputUsdPerMillion: z.number().nonnegative(),
});
export type Price = z.infer<typeof priceSchema>;

/** By the model's name as the agent reports it. */
export type Prices = Readonly<Record<string, Price>>;

const million = 1_000_000;

/** What the tokens cost in US dollars; undefined where the model or its price is not known. */
export function costOf(
  usage: { readonly inputTokens: number; readonly outputTokens: number },
  model: string | undefined,
  prices: Prices,
): number | undefined {
  const price = model !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;
  if (price === undefined) return undefined;
  return (
    (usage.inputTokens * price.inputUsdPerMillion + usage.outputTokens * price.outputUsdPerMillion) / million
  );
}
