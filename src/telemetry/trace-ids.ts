import { createHash } from 'node:crypto';
import { type Context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import type { Run, Traced } from '../fleet/run.ts';

/** The ids of a span as W3C Trace Context writes them: lower-case hex, 32 and 16 digits. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

const spanIdDigits = 16;

/**
 * With what the ids of all spans begin that fleetbot itself sends, but for the random one of a root, which no machine is
 * told. Machines know the traces of their runs, and MLflow replaces a span by a later one of the same id: the central
 * collector lets no span of a machine pass whose id begins so.
 */
export const centreSpanIdPrefix = 'f1ee7b';

/** The id of a span of ours that has these digits. */
function centreSpanId(digits: string): string {
  return `${centreSpanIdPrefix}${digits}`.slice(0, spanIdDigits);
}

/**
 * The id of a span that follows from a run's record, by its name in that record: whoever sends the span, and however
 * often, it is one span.
 */
export function spanIdOf({ trace: { traceId } }: Run, name: string): string {
  return centreSpanId(createHash('sha256').update(`${name} ${traceId}`).digest('hex'));
}

/**
 * The ids of a run's span `action`: what is signed names them long before the span is made, by a process that need not
 * be the same.
 */
export function actionSpan(run: Run): SpanIds {
  return { traceId: run.trace.traceId, spanId: spanIdOf(run, 'action') };
}

/** MLflow's id of a run's trace: `tr-` and the trace id. */
export function mlflowTraceId(run: Traced): string {
  return `tr-${run.trace.traceId}`;
}

/**
 * Gives the spans that follow from a run's record their ids; every other span gets random ones.
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
    return this.#next?.spanId ?? centreSpanId(this.#random.generateSpanId());
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
