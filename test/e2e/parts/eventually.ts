import { vi } from 'vitest';

/** How long a run may take to end in Slack, and anything else that is waited for. */
export const patienceMs = 60_000;
const pollMs = 100;

/** Resolves once the condition, an assertion, holds. @throws what it threw last */
export function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(condition, { timeout: patienceMs, interval: pollMs });
}
