import type { Failure, RunFailureCode } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { formatUsd, toMicroUsd, toUsd } from '../fleet/money.ts';
import { costOf, type Prices } from '../fleet/price.ts';
import type { Usage } from '../fleet/usage.ts';

/** The limit that so many tokens, in and out together, are over; undefined while they are not. */
export function overTokens({ name, limits }: Machine, tokens: number): Failure | undefined {
  if (tokens <= limits.maxTokens) return undefined;
  return {
    code: 'token-limit' satisfies RunFailureCode,
    message:
      `The agent used ${tokens} tokens or more; a run on ${name} may use ${limits.maxTokens}. ` +
      'Ask something narrower, or ask an operator to raise `limits.maxTokens`.',
  };
}

/**
 * What an agent's work cost in US dollars, where that is known, to the micro-dollar as it is summed up; and the limit that
 * it is over, if any.
 */
export function spendingOf(
  machine: Machine,
  { usage, model }: { readonly usage: Usage | undefined; readonly model: string | undefined },
  prices: Prices,
): { readonly costUsd?: number; readonly failure?: Failure } {
  if (!usage) return {};
  const cost = costOf(usage, model, prices);
  const costUsd = cost === undefined ? undefined : toUsd(toMicroUsd(cost));
  const failure = overTokens(machine, usage.inputTokens + usage.outputTokens) ?? overCost(machine, costUsd);
  return { ...(costUsd !== undefined && { costUsd }), ...(failure && { failure }) };
}

function overCost({ name, limits }: Machine, costUsd: number | undefined): Failure | undefined {
  if (costUsd === undefined || costUsd <= limits.maxCostUsd) return undefined;
  return {
    code: 'cost-limit' satisfies RunFailureCode,
    message:
      `The agent cost ${formatUsd(costUsd)}; a run on ${name} may cost ${formatUsd(limits.maxCostUsd)}. ` +
      'Ask something narrower, or ask an operator to raise `limits.maxCostUsd`.',
  };
}
