import type { RequestLimits } from '../../src/bot/ports.ts';

/** For tests that are not about limits. */
export const noLimits: RequestLimits = {
  perPerson: { requestsPerMinute: 1_000_000 },
  perMachine: () => ({ maxWaiting: 1_000_000, requestsPerMinute: 1_000_000 }),
};
