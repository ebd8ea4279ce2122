import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Delivery } from './export-spans.ts';

/**
 * Sends spans; a batch in which one is refused is halved until that span is alone, so that all others are taken.
 * Resolves to false as soon as MLflow takes nothing for a while.
 */
export async function inHalves(
  spans: readonly ReadableSpan[],
  attempt: (spans: readonly ReadableSpan[]) => Promise<Delivery>,
  refuse: (span: ReadableSpan, error: Error | undefined) => Promise<void>,
): Promise<boolean> {
  const [span] = spans;
  if (!span) return true;
  const delivery = await attempt(spans);
  if (delivery.outcome === 'taken') return true;
  if (delivery.outcome === 'held') return false;
  if (spans.length === 1) {
    await refuse(span, delivery.error);
    return true;
  }
  const half = Math.ceil(spans.length / 2);
  const isFirstSent = await inHalves(spans.slice(0, half), attempt, refuse);
  return isFirstSent && inHalves(spans.slice(half), attempt, refuse);
}
