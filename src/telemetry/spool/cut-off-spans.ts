import { type HrTime, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { LineContent } from './lines.ts';

/** What MLflow shows of a step in which fleetbot was killed. */
export const cutOff = 'fleetbot was killed in this step';

/** Finds the spans that had begun and not ended when a process was killed. */
export class CutOffSpans {
  readonly #open = new Map<string, ReadableSpan>();
  #last: HrTime = [0, 0];

  /** Told of every line that the process wrote, in their order. */
  saw({ kind, spans }: LineContent): void {
    for (const span of spans) {
      const { spanId } = span.spanContext();
      if (kind === 'opened') this.#open.set(spanId, span);
      else this.#open.delete(spanId);
      this.#last = later(this.#last, later(span.startTime, span.endTime));
    }
  }

  /**
   * They, as errors that ended at the last moment that was written down: so none of their children in MLflow lacks
   * its parent. Once: none are left.
   */
  take(): ReadableSpan[] {
    const status = { code: SpanStatusCode.ERROR, message: cutOff };
    const spans = [...this.#open.values()].map((span) => ({
      ...span,
      ...{ status, endTime: later(span.startTime, this.#last), ended: true },
    }));
    this.#open.clear();
    return spans;
  }
}

function later(one: HrTime, other: HrTime): HrTime {
  const [seconds, rest] = [one[0] - other[0], one[1] - other[1]];
  return seconds > 0 || (seconds === 0 && rest > 0) ? one : other;
}
