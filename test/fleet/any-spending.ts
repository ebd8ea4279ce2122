import type { SpendingRow } from '../../src/fleet/spending.ts';

/** What U1 spent on rhel-01 on 2026-11-23, one activation of 100 and 20 tokens for a cent, but for the changes. */
export function aRow(changes: Partial<SpendingRow> = {}): SpendingRow {
  return {
    ...{ time: '2026-11-23', machine: 'rhel-01', spender: 'U1', model: 'm' },
    ...{ activations: 1, inputTokens: 100, outputTokens: 20, cacheReadTokens: 0, cacheWriteTokens: 0 },
    ...{ microUsd: 10_000, unpriced: 0, untold: 0 },
    ...changes,
  };
}
