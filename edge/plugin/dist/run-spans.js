import { readEvent } from './events.js';
import { readAgentText, readToolContent } from './hooks.js';
import { modelCallSpan, runSpan,            toolCallSpan } from './make-spans.js';
                                                       
                                      
import {                  tracePlace } from './trace-place.js';

/** More than the gateway ever has under way at a time; beyond that the oldest is not waited for any longer. */
const maxOpenRuns = 32;
const maxOpenCalls = 64;

                                             
                                      
                                      
                               
 

/**
 * Makes spans of the gateway's events and hooks: `agent.run` under the supervisor's span, and under it
 * `model.inference` and `tool.execution`. A tool's span waits for both halves, at the longest until its run ends: a
 * call that a rule blocks has no event, one of another harness no hook. The ids are the gateway's own or made of what
 * it tells, so that the same event always gives the same span.
 */
export class RunSpans {
           #parts               ;
           #open = new Map                 ();

  constructor(parts               ) {
    this.#parts = parts;
  }

  /** Takes an event of the gateway's diagnostics, of whatever shape. */
  take(event         )       {
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
  takeToolContent(event         , context         )       {
    const content = readToolContent(event, context);
    const run = content && this.#runOf(content.runId, content.sessionKey, undefined);
    if (run && content.callId) this.#join(run, content.callId, { content });
  }

  /** Takes what the hook `llm_output` tells. It comes before the event that ends the attempt. */
  takeAgentText(event         )       {
    const said = readAgentText(event);
    const run = said && this.#open.get(said.runId);
    if (run) run.said = said;
  }

  /** Emits what still waits for its other half. */
  settle()       {
    for (const [runId, run] of this.#open) this.#end(runId, run);
  }

  #runOf(runId        , sessionKey                    , trace                        )                      {
    const known = this.#open.get(runId);
    if (known) return known;
    const place = tracePlace(sessionKey, trace);
    if (place === undefined) return undefined;
    const [oldest] = this.#open;
    if (oldest && this.#open.size >= maxOpenRuns) this.#end(...oldest);
    const run          = { place, calls: new Map() };
    this.#open.set(runId, run);
    return run;
  }

  #join(run         , callId        , half                           )       {
    const call = { heardAt: this.#parts.clock(), ...run.calls.get(callId), ...half };
    run.calls.set(callId, call);
    if (call.event && call.content) this.#emitCall(run, callId, call);
    const [oldest] = run.calls;
    if (oldest && run.calls.size > maxOpenCalls) this.#emitCall(run, ...oldest);
  }

  #end(runId        , run         )       {
    this.#open.delete(runId);
    for (const [callId, call] of run.calls) this.#emitCall(run, callId, call);
  }

  #emitCall(run         , callId        , call          )       {
    run.calls.delete(callId);
    this.#parts.emit(toolCallSpan(run, callId, call, this.#parts));
  }
}
