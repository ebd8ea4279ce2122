import { z } from 'zod';
import type { AnsweredTokens } from '../../../support/stub-model.ts';
import type { StoredTrace } from '../../parts/mlflow-traces.ts';
import { price } from './rules.ts';

/** Tokens, and what they cost in US dollars, rounded to what a cent's millionth part is. */
export interface Sums {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
}

const usageSchema = z.object({
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_input_tokens: z.int().default(0),
});
const costSchema = z.object({ total_cost: z.number() });

/** What the model servers counted, at the prices of the fleet file. */
export function sumsOf(answers: readonly AnsweredTokens[]): Sums {
  const sum = (key: keyof AnsweredTokens) => answers.reduce((total, tokens) => total + tokens[key], 0);
  const [inputTokens, cachedTokens, outputTokens] = [
    sum('inputTokens'),
    sum('cachedTokens'),
    sum('outputTokens'),
  ];
  const millionths =
    (inputTokens - cachedTokens) * price.inputUsdPerMillion +
    cachedTokens * price.cacheReadUsdPerMillion +
    outputTokens * price.outputUsdPerMillion;
  return { inputTokens, cachedTokens, outputTokens, costUsd: rounded(millionths / 1e6) };
}

/** What MLflow sums up over a trace. */
export function sumsInMlflow({ trace_metadata: metadata }: StoredTrace): Sums {
  const usage = usageSchema.parse(JSON.parse(metadata['mlflow.trace.tokenUsage'] ?? ''));
  const cost = costSchema.parse(JSON.parse(metadata['mlflow.trace.cost'] ?? ''));
  return {
    inputTokens: usage.input_tokens,
    cachedTokens: usage.cache_read_input_tokens,
    outputTokens: usage.output_tokens,
    costUsd: rounded(cost.total_cost),
  };
}

function rounded(usd: number): number {
  return Math.round(usd * 1e8) / 1e8;
}
