import { readEvent } from './events.ts';
import { readAgentText, readToolContent } from './hooks.ts';
import { modelCallSpan, runSpan, type Told, toolCallSpan } from './make-spans.ts';
import type { HalfCall, OpenRun } from './open-run.ts';
import type { Span } from './span.ts';
import { type EventTrace, tracePlace } from './trace-place.ts';

/** More than the gateway ever has under way at a time; beyond that the oldest is not waited for any longer. */
const maxOpenRuns = 32;
const maxOpenCalls = 64;

export interface RunSpansParts extends Told {
  readonly emit: (span: Span) => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/**
 * Makes spans of the gateway's events and hooks: `agent.run` under the supervisor's span, and under it
 * `model.inference` and `tool.execution`. A tool's span waits for both halves, at the longest until its run ends: a
 * call that a rule blocks has no event, one of another harness no hook. The ids are the gateway's own or made of what
 * it tells, so that the same event always gives the same span.
 */
export class RunSpans {
  readonly #parts: RunSpansParts;
  readonly #open = new Map<string, OpenRun>();

  constructor(parts: RunSpansParts) {
    this.#parts = parts;
  }

  /** Takes an event of the gateway's diagnostics, of whatever shape. */
  take(event: unknown): void {
    const read = readEvent(event);
    const run = read && this.#runOf(read.runId, read.sessionKey, read.trace);
    if (read === undefined || run === undefined) return;
    switch (read.kind) {
      case 'run-started':
        run.spanId = read.trace.spanId;
        return;
      case 'model-call':
        run.modelError = read.error;
        this.#parts.emit(modelCallSpan(run, read, this.#parts));
        return;
      case 'tool-call':
        this.#join(run, read.callId ?? read.trace.spanId, { event: read });
        return;
      case 'run-ended':
        this.#end(read.runId, run);
        this.#parts.emit(runSpan(run, read, this.#parts));
    }
  }

  /** Takes what the hook `after_tool_call` tells. */
  takeToolContent(event: unknown, context: unknown): void {
    const content = readToolContent(event, context);
    const run = content && this.#runOf(content.runId, content.sessionKey, undefined);
    if (run && content.callId) this.#join(run, content.callId, { content });
  }

  /** Takes what the hook `llm_output` tells. It comes before the event that ends the attempt. */
  takeAgentText(event: unknown): void {
    const said = readAgentText(event);
    const run = said && this.#open.get(said.runId);
    if (run) run.said = said;
  }

  /** Emits what still waits for its other half. */
  settle(): void {
    for (const [runId, run] of this.#open) this.#end(runId, run);
  }

  #runOf(runId: string, sessionKey: string | undefined, trace: EventTrace | undefined): OpenRun | undefined {
    const known = this.#open.get(runId);
    if (known) return known;
    const place = tracePlace(sessionKey, trace);
    if (place === undefined) return undefined;
    const [oldest] = this.#open;
    if (oldest && this.#open.size >= maxOpenRuns) this.#end(...oldest);
    const run: OpenRun = { place, calls: new Map() };
    this.#open.set(runId, run);
    return run;
  }

  #join(run: OpenRun, callId: string, half: Omit<HalfCall, 'heardAt'>): void {
    const call = { heardAt: this.#parts.clock(), ...run.calls.get(callId), ...half };
    run.calls.set(callId, call);
    if (call.event && call.content) this.#emitCall(run, callId, call);
    const [oldest] = run.calls;
    if (oldest && run.calls.size > maxOpenCalls) this.#emitCall(run, ...oldest);
  }

  #end(runId: string, run: OpenRun): void {
    this.#open.delete(runId);
    for (const [callId, call] of run.calls) this.#emitCall(run, callId, call);
  }

  #emitCall(run: OpenRun, callId: string, call: HalfCall): void {
    run.calls.delete(callId);
    this.#parts.emit(toolCallSpan(run, callId, call, this.#parts));
  }
}
