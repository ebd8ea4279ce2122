import type { Severity } from '../finding.ts';
import { formatNumber } from '../format.ts';

/** A warning and a critical limit. A value that reaches a limit has crossed it. */
export interface Limits {
  readonly warn: number;
  readonly critical: number;
  /** Whether high or low values are bad. */
  readonly bad: 'high' | 'low';
}

/** The severity of a value and the limit to name beside it: `warn at 80 %`. */
export function judgeLimits(
  value: number,
  limits: Limits,
  unit: string,
): { severity: Severity; limit: string } {
  const crosses = (limit: number): boolean => (limits.bad === 'high' ? value >= limit : value <= limit);
  const named = (word: string, limit: number): string =>
    `${word} at ${`${formatNumber(limit)} ${unit}`.trim()}`;
  if (crosses(limits.critical)) return { severity: 'critical', limit: named('critical', limits.critical) };
  const severity = crosses(limits.warn) ? 'warning' : 'ok';
  return { severity, limit: named('warn', limits.warn) };
}
