import type { Budgets, RequestLimits } from '../../src/bot/ports.ts';

/** For tests that are not about limits. */
export const noLimits: RequestLimits = {
  perPerson: { requestsPerMinute: 1_000_000 },
  perMachine: () => ({ maxWaiting: 1_000_000, requestsPerMinute: 1_000_000 }),
};

/** For tests in which agents may cost what they want. */
export const noBudgets: Budgets = { states: async () => [], over: async () => [] };
