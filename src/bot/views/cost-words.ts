import { formatCount } from '../../fleet/format.ts';
import { formatMicroUsd, formatUsd } from '../../fleet/money.ts';
import type { Diagnosis } from '../../fleet/run.ts';
import { isAtLeast, type Spent } from '../../fleet/spending.ts';
import type { Usage } from '../../fleet/usage.ts';

/** What was spent: `$1.23`, `at least $1.23`, or that it is not known. */
export function costWords(spent: Spent): string {
  if (!isAtLeast(spent)) return formatMicroUsd(spent.microUsd);
  // Nothing of it is known.
  if (spent.unpriced + spent.untold === spent.activations) return 'cost unknown';
  return `at least ${formatMicroUsd(spent.microUsd)}`;
}

/** Tokens by class: `12,345 tokens in (10,000 read from a cache), 678 out`. */
export function tokenWords({
  inputTokens,
  outputTokens,
  cacheReadTokens = 0,
  cacheWriteTokens = 0,
}: Usage): string {
  const classes = [
    ...(cacheReadTokens > 0 ? [`${formatCount(cacheReadTokens)} read from a cache`] : []),
    ...(cacheWriteTokens > 0 ? [`${formatCount(cacheWriteTokens)} written into one`] : []),
  ];
  const among = classes.length === 0 ? '' : ` (${classes.join(', ')})`;
  return `${formatCount(inputTokens)} tokens in${among}, ${formatCount(outputTokens)} out`;
}

/** What the agent of one run cost; of its activations only the last one tells. */
export function runCostWords({ activations, usage, model, costUsd }: Diagnosis): string {
  if (costUsd !== undefined) return `${activations > 1 ? 'at least ' : ''}${formatUsd(costUsd)}`;
  return usage !== undefined && model !== undefined ? 'cost unknown: no price for the model' : 'cost unknown';
}
