import type { Counter } from 'prom-client';

/**
 * Makes the series of a counter with one label exist before anything happens: Prometheus cannot see the first
 * increase of a series that begins with it, and an alert on it would miss the first time.
 */
export function zero<Label extends string>(counter: Counter<Label>, values: Iterable<string>): void {
  for (const value of values) counter.labels(value).inc(0);
}
