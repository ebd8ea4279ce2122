import { createHash } from 'node:crypto';
import { type Context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import type { Run } from '../fleet/run.ts';

/** The ids of a span as W3C Trace Context writes them: lower-case hex, 32 and 16 digits. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

const spanIdDigits = 16;

/**
 * The ids of a run's span `action`. They follow from the run's own: what is signed names them long before the span is
 * made, by a process that need not be the same.
 */
export function actionSpan({ trace: { traceId } }: Run): SpanIds {
  const digest = createHash('sha256').update(`action ${traceId}`).digest('hex');
  return { traceId, spanId: digest.slice(0, spanIdDigits) };
}

/** MLflow's id of a run's trace: `tr-` and the trace id. */
export function mlflowTraceId(run: Run): string {
  return `tr-${run.trace.traceId}`;
}

/**
 * Gives a run's root span the ids that it was given at acceptance, and its action's those that were signed; every
 * other span gets random ones.
 * Made for OpenTelemetry's tracer, which asks for ids synchronously while a span is started.
 */
export class RunIds implements IdGenerator {
  readonly #random: IdGenerator;
  #next: SpanIds | undefined;

  constructor(random: IdGenerator) {
    this.#random = random;
  }

  /** Calls `start` with the ids of the span that it starts fixed. */
  with<T>(ids: SpanIds, start: () => T): T {
    this.#next = ids;
    try {
      return start();
    } finally {
      this.#next = undefined;
    }
  }

  generateTraceId(): string {
    return this.#next?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#next?.spanId ?? this.#random.generateSpanId();
  }
}

/** The context in which a span becomes the child of the one with these ids. */
export function contextUnder(ids: SpanIds): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED });
}

/** W3C Trace Context, version 00. Where we record nothing, neither need those who get it. */
export function toTraceparent({ traceId, spanId }: SpanIds, recorded: boolean): string {
  return `00-${traceId}-${spanId}-${recorded ? '01' : '00'}`;
}

/** The ids in a traceparent of ours. */
export function fromTraceparent(traceparent: string): SpanIds {
  const [, traceId = '', spanId = ''] = traceparent.split('-');
  return { traceId, spanId };
}
