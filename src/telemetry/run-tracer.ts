import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import type { AgentAnswer } from '../fleet/agent-task.ts';
import { type Failure, toFailure } from '../fleet/errors.ts';
import type { CommandOutput } from '../fleet/evidence.ts';
import type { Cost } from '../fleet/price.ts';
import type { Run } from '../fleet/run.ts';
import {
  type Attributes,
  commandAttributes,
  type Judgement,
  judgementAttributes,
  modelAttributes,
  stepAttributes,
  toolCallAttributes,
} from './attributes.ts';
import { harmlessText } from './harmless-text.ts';
import { spansOfRecord } from './spans-of-record.ts';
import { actionSpan, contextUnder, fromTraceparent, type RunIds, toTraceparent } from './trace-ids.ts';

/** Longer values are cut: MLflow shows them in a browser. */
const maxAttributeCharacters = 32_000;

/** One step of a run in its trace (supervisors' Step). */
export interface RunStep {
  readonly traceparent: string;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  set(attributes: Readonly<Attributes>): void;
  end(error?: unknown): void;
}

/** What a RunTracer is made of. */
export interface RunTracerParts {
  readonly tracer: Tracer;
  readonly ids: RunIds;
  readonly redact: (text: string) => string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Whether spans are recorded here. Where they are not, a machine need not record either. */
  readonly records: boolean;
}

/**
 * The trace of a run. The root span's ids are those of the run's record, so children can be recorded, by whichever
 * worker, before the root, which is made last, from the record alone (see `spansOfRecord`). No step begins before what
 * the record says happened before it: the clocks of workers differ. Steps of a worker that is shut out while it stands
 * still may end after the root.
 */
export class RunTracer {
  readonly #parts: RunTracerParts;

  constructor(parts: RunTracerParts) {
    this.#parts = parts;
  }

  step(run: Run, name: string, attributes: Readonly<Attributes> = {}): RunStep {
    const startedAt = this.#now(run);
    const given = { 'mlflow.spanType': 'TASK', ...stepAttributes(attributes) };
    const span = this.#start(name, underRoot(run), { startTime: startedAt }, given);
    return {
      traceparent: toTraceparent(span.spanContext(), span.isRecording()),
      startedAt,
      set: (more) => this.#set(span, stepAttributes(more)),
      end: (error) => {
        if (error !== undefined) this.#fail(span, toFailure(error));
        span.end(Math.max(startedAt, this.#parts.clock()));
      },
    };
  }

  hostWork(run: Run, step: RunStep, outputs: readonly CommandOutput[]): void {
    // The broker tells how long each command took, not when: they are laid end to end before now.
    const now = this.#now(run);
    const { startedAt = now } = step;
    let at = now - outputs.reduce((sum, output) => sum + output.durationMs, 0);
    for (const output of outputs) {
      const startTime = Math.max(at, startedAt);
      const attributes = commandAttributes(run, output);
      const span = this.#start('tool.execution', under(step), { startTime }, attributes);
      if (output.exitCode === null)
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'ended by the broker' });
      at += output.durationMs;
      span.end(Math.max(at, startTime));
    }
  }

  judged(run: Run, step: RunStep, judgement: Judgement): void {
    const now = this.#now(run);
    const span = this.#start('judgement', under(step), { startTime: now }, judgementAttributes(judgement));
    if (judgement.failure) this.#fail(span, judgement.failure);
    span.end(now);
  }

  agentWork(run: Run, step: RunStep, answer: AgentAnswer, cost?: Cost): void {
    const now = this.#now(run);
    const { startedAt = now } = step;
    if (answer.model !== undefined || answer.usage !== undefined) {
      const options = { startTime: startedAt, kind: SpanKind.CLIENT };
      this.#start('model.inference', under(step), options, modelAttributes(answer, cost)).end(now);
    }
    for (const call of answer.toolCalls) {
      const startTime = Math.max(call.startedAt, startedAt);
      const span = this.#start('tool.execution', under(step), { startTime }, toolCallAttributes(run, call));
      if (call.failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(Math.max(call.endedAt, startTime));
    }
  }

  actionTraceparent(run: Run): string {
    return toTraceparent(actionSpan(run), this.#parts.records);
  }

  finish(run: Run): void {
    const { traceId } = run.trace;
    for (const told of spansOfRecord(run)) {
      const { name, spanId, parentSpanId, startedAt: startTime, endedAt, attributes, failure } = told;
      const isRoot = parentSpanId === undefined;
      const context = isRoot ? ROOT_CONTEXT : contextUnder({ traceId, spanId: parentSpanId });
      const options = { startTime, ...(isRoot && { kind: SpanKind.CONSUMER, links: linksOf(run) }) };
      const span = this.#parts.ids.with({ traceId, spanId }, () =>
        this.#start(name, context, options, attributes),
      );
      if (failure) this.#fail(span, failure);
      span.end(endedAt);
    }
  }

  /** Not before what the run's record knows. */
  #now({ timeline }: Run): number {
    const now = this.#parts.clock();
    return Math.max(now, timeline.at(-1)?.at ?? now);
  }

  #start(name: string, context: Context, options: SpanOptions, attributes: Readonly<Attributes>): Span {
    const span = this.#parts.tracer.startSpan(name, options, context);
    this.#set(span, attributes);
    return span;
  }

  /** The only way for text into a span. */
  #set(span: Span, attributes: Readonly<Attributes>): void {
    if (!span.isRecording()) return;
    for (const [name, value] of Object.entries(attributes)) {
      span.setAttribute(name, typeof value === 'string' ? this.#clean(value) : value);
    }
  }

  #fail(span: Span, { code, message }: Partial<Failure>): void {
    if (code !== undefined) this.#set(span, { 'error.type': code });
    span.setStatus({
      code: SpanStatusCode.ERROR,
      ...(message !== undefined && { message: this.#clean(message) }),
    });
  }

  #clean(text: string): string {
    const clean = harmlessText(this.#parts.redact(text));
    if (clean.length <= maxAttributeCharacters) return clean;
    return `${clean.slice(0, maxAttributeCharacters)}… (${clean.length - maxAttributeCharacters} more characters)`;
  }
}

/** To the run of another machine because of which this one was asked for. */
function linksOf({ request: { requester } }: Run): Link[] {
  if (requester.kind !== 'supervisor') return [];
  const { traceId, rootSpanId } = requester.trace;
  return [{ context: { traceId, spanId: rootSpanId, traceFlags: TraceFlags.SAMPLED } }];
}

function underRoot({ trace: { traceId, rootSpanId } }: Run): Context {
  return contextUnder({ traceId, spanId: rootSpanId });
}

function under(step: RunStep): Context {
  return contextUnder(fromTraceparent(step.traceparent));
}
