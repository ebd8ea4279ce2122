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
import type { Run } from '../fleet/run.ts';
import {
  type Attributes,
  actionAttributes,
  approvalAttributes,
  commandAttributes,
  completedAttributes,
  modelAttributes,
  rootAttributes,
  toolCallAttributes,
} from './attributes.ts';
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
}

/**
 * The trace of a run. The root span's ids are those of the run's record, so children can
 * be recorded, by whichever worker, before the root, which is made last: MLflow takes a trace's state from its
 * root and freezes it. Steps of a worker that was killed are missing; the root never is.
 */
export class RunTracer {
  readonly #parts: RunTracerParts;

  constructor(parts: RunTracerParts) {
    this.#parts = parts;
  }

  step(run: Run, name: string, attributes: Readonly<Attributes> = {}): RunStep {
    const startedAt = this.#parts.clock();
    const span = this.#start(
      name,
      underRoot(run),
      { startTime: startedAt },
      {
        'mlflow.spanType': 'TASK',
        ...attributes,
      },
    );
    return {
      traceparent: toTraceparent(span.spanContext(), span.isRecording()),
      startedAt,
      set: (more) => this.#set(span, more),
      end: (error) => {
        if (error !== undefined) this.#fail(span, toFailure(error));
        span.end(this.#parts.clock());
      },
    };
  }

  hostWork(run: Run, step: RunStep, outputs: readonly CommandOutput[]): void {
    // The broker tells how long each command took, not when: they are laid end to end before now.
    let at = this.#parts.clock() - outputs.reduce((sum, output) => sum + output.durationMs, 0);
    for (const output of outputs) {
      const span = this.#start(
        'tool.execution',
        under(step),
        { startTime: at },
        commandAttributes(run, output),
      );
      if (output.exitCode === null)
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'ended by the broker' });
      at += output.durationMs;
      span.end(at);
    }
  }

  agentWork(run: Run, step: RunStep, answer: AgentAnswer): void {
    const now = this.#parts.clock();
    const startTime = step.startedAt ?? now;
    if (answer.model !== undefined || answer.usage !== undefined) {
      const options = { startTime, kind: SpanKind.CLIENT };
      this.#start('model.inference', under(step), options, modelAttributes(answer)).end(now);
    }
    for (const call of answer.toolCalls) {
      const options = { startTime: call.startedAt };
      const span = this.#start('tool.execution', under(step), options, toolCallAttributes(run, call));
      if (call.failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(call.endedAt);
    }
  }

  /** Where nothing is recorded, the machine need not record either. */
  actionTraceparent(run: Run): string {
    // This span is never sent, because it never ends.
    const isRecording = this.#parts.tracer.startSpan('action', {}, underRoot(run)).isRecording();
    return toTraceparent(actionSpan(run), isRecording);
  }

  finish(run: Run): void {
    const { acceptedAt } = run.request;
    const now = Math.max(this.#parts.clock(), acceptedAt);
    const queuedUntil = run.timeline.find(({ state }) => state !== 'queued')?.at ?? now;
    const task = { 'mlflow.spanType': 'TASK' };
    this.#start('message.queued', underRoot(run), { startTime: acceptedAt }, task).end(queuedUntil);
    this.#approval(run, now);
    this.#action(run, now);
    const totals = completedAttributes(run, now - acceptedAt);
    this.#start('run.completed', underRoot(run), { startTime: now }, totals).end(now);
    const ids = { traceId: run.trace.traceId, spanId: run.trace.rootSpanId };
    const options = { startTime: acceptedAt, kind: SpanKind.CONSUMER, links: linksOf(run) };
    const root = this.#parts.ids.with(ids, () =>
      this.#start('message.processed', ROOT_CONTEXT, options, rootAttributes(run)),
    );
    if (run.failure) this.#fail(root, run.failure);
    else if (run.verdict === 'failed') root.setStatus({ code: SpanStatusCode.ERROR });
    root.end(now);
  }

  /** What people were asked, from the record: whoever ends the run, and whatever was killed since. */
  #approval(run: Run, now: number): void {
    const { approval } = run;
    if (!approval) return;
    const { question, settledAt = now } = approval;
    const options = { startTime: question.askedAt };
    this.#start('approval', underRoot(run), options, approvalAttributes(approval)).end(settledAt);
  }

  /** What was changed, if anything, under the ids that the machine was given for it. */
  #action(run: Run, now: number): void {
    const { action, approval } = run;
    if (action?.begunAt === undefined || !approval) return;
    const { begunAt, endedAt = now, outcome } = action;
    const span = this.#parts.ids.with(actionSpan(run), () =>
      this.#start('action', underRoot(run), { startTime: begunAt }, actionAttributes(run, approval, action)),
    );
    if (outcome !== 'done')
      span.setStatus({ code: SpanStatusCode.ERROR, message: this.#clean(action.detail) });
    span.end(endedAt);
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

  #fail(span: Span, { code, message }: Failure): void {
    this.#set(span, { 'error.type': code });
    span.setStatus({ code: SpanStatusCode.ERROR, message: this.#clean(message) });
  }

  #clean(text: string): string {
    const clean = this.#parts.redact(text);
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
