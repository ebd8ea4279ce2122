import { agentId, provider } from './gateway-facts.ts';
import type { Response } from './gateway-frames.ts';
import type { Ended, Session, SessionEvent, ToolResult, ToolUse } from './session.ts';

/** An event for clients. `toolDetail`: only for the client that asked for the run, if it has cap `tool-events`. */
export interface RunEvent {
  readonly event: 'agent' | 'chat';
  readonly payload: Readonly<Record<string, unknown>>;
  readonly toolDetail: boolean;
}

/** The events of one run, shaped and ordered as OpenClaw 2026.9.6 sends them, numbered by `payload.seq`. */
export class RunEvents {
  readonly #session: { runId: string; sessionKey: string };
  readonly #model: string;
  readonly #clock: () => number;
  readonly #emit: (event: RunEvent) => void;
  #seq = 0;

  constructor(
    session: { runId: string; sessionKey: string },
    model: string,
    clock: () => number,
    emit: (event: RunEvent) => void,
  ) {
    this.#session = session;
    this.#model = model;
    this.#clock = clock;
    this.#emit = emit;
  }

  started(): void {
    this.#agent('lifecycle', { phase: 'start', startedAt: this.#clock() });
  }

  happened(event: SessionEvent): void {
    switch (event.kind) {
      case 'model':
        this.#agent('lifecycle', { phase: 'model', provider, model: this.#model });
        break;
      case 'tool-start':
        this.#agent('item', { ...itemOf(event.use), phase: 'start', status: 'running' });
        this.#agent('tool', { ...callOf(event.use), phase: 'start', args: { command: event.use.command } });
        break;
      case 'tool-end':
        this.#toolEnded(event.result);
        break;
      case 'text':
        this.#agent('assistant', { text: event.text, delta: event.text, itemId: `${this.#session.runId}:1` });
        this.#chat('delta', { deltaText: event.text, message: messageOf(event.text, this.#clock()) });
    }
  }

  ended({ startedAt }: Session, { outcome, endedAt }: Ended): void {
    const times = { startedAt, endedAt };
    switch (outcome.status) {
      case 'ok': {
        const terminalReply = { disposition: 'visible', text: outcome.text };
        const end = { ...times, aborted: false, stopReason: 'stop', livenessState: 'working' };
        this.#agent('lifecycle', { phase: 'end', ...end, executionSettled: true, terminalReply });
        this.#chat('final', { stopReason: 'stop', message: messageOf(outcome.text, endedAt) });
        break;
      }
      case 'aborted':
        this.#chat('aborted', { stopReason: 'rpc' });
        this.#agent('lifecycle', {
          phase: 'end',
          ...times,
          status: 'cancelled',
          aborted: true,
          stopReason: 'rpc',
        });
        break;
      default: {
        const error = errorText(outcome);
        const errorKind = outcome.status === 'timed-out' ? { errorKind: 'timeout' } : {};
        this.#agent('lifecycle', { phase: 'error', ...times, error, aborted: false, executionSettled: true });
        this.#chat('error', { errorMessage: error, ...errorKind });
      }
    }
  }

  #toolEnded(result: ToolResult): void {
    const { output, startedAt, endedAt } = result;
    const failed = output?.exitCode !== 0;
    const status = failed ? 'failed' : 'completed';
    const denied = { status: 'error', tool: 'exec', error: 'exec denied: allowlist miss' };
    const completed = output && {
      status: 'completed',
      exitCode: output.exitCode,
      exitSignal: output.exitCode === null ? 'SIGKILL' : null,
      exitReason: output.exitCode === null ? 'timeout' : 'exit',
      durationMs: output.durationMs,
      aggregated: result.text,
      cwd: '/',
    };
    this.#agent('tool', {
      ...callOf(result),
      phase: 'result',
      meta: result.command,
      isError: output === null,
      commandBearing: true,
      result: { content: [{ type: 'text', text: result.text }], details: completed ?? denied },
    });
    this.#agent('item', { ...itemOf(result), phase: 'end', status, startedAt, endedAt });
    this.#agent('command_output', {
      ...callOf(result),
      itemId: `command:${result.id}`,
      phase: 'end',
      title: `command ${result.command}`,
      output: result.text,
      ...(output === null
        ? { status: 'failed' }
        : { status: 'completed', exitCode: output.exitCode, durationMs: output.durationMs, cwd: '/' }),
    });
  }

  #agent(stream: string, data: Readonly<Record<string, unknown>>): void {
    this.#seq += 1;
    const payload = { ...this.#session, agentId, stream, data, seq: this.#seq, ts: this.#clock() };
    this.#emit({ event: 'agent', payload, toolDetail: stream === 'tool' });
  }

  #chat(state: string, data: Readonly<Record<string, unknown>>): void {
    const payload = { ...this.#session, agentId, seq: this.#seq, state, ...data };
    this.#emit({ event: 'chat', payload, toolDetail: false });
  }
}

/** The last answer to an `agent` request: `ok: true` even for most failures, as the gateway has it. */
export function finalResponse(session: Session, ended: Ended, model: string): Response {
  const { runId, sessionKey, startedAt } = session;
  const { outcome, endedAt, usage, results, modelCalls } = ended;
  const { input, output } = usage;
  const agentMeta = {
    sessionFile: sessionKey,
    provider,
    model,
    usage: { input, output, cacheRead: 0, cacheWrite: 0, total: input + output, cost: { total: 0 } },
    assistantTurns: modelCalls,
  };
  const meta = {
    durationMs: endedAt - startedAt,
    agentMeta,
    aborted: false,
    toolSummary: {
      calls: results.length,
      tools: results.length > 0 ? ['exec'] : [],
      failures: results.filter((result) => result.output === null).length,
    },
  };
  switch (outcome.status) {
    case 'ok': {
      const visible = {
        finalAssistantVisibleText: outcome.text,
        stopReason: 'stop',
        livenessState: 'working',
      };
      const payloads = [{ text: outcome.text, mediaUrl: null }];
      const result = { payloads, meta: { ...meta, ...visible } };
      return { ok: true, payload: { runId, status: 'ok', summary: 'completed', result } };
    }
    case 'aborted':
      return { ok: true, payload: { runId, status: 'timeout', summary: 'aborted', stopReason: 'rpc' } };
    case 'failed': {
      const { message } = outcome;
      return {
        ok: false,
        payload: { runId, status: 'error', summary: message },
        error: { code: 'UNAVAILABLE', message },
      };
    }
    default: {
      const text = errorText(outcome);
      const error = { kind: 'incomplete_turn', message: text };
      const result = { payloads: [{ text, isError: true, mediaUrl: null }], meta: { ...meta, error } };
      return outcome.status === 'empty'
        ? { ok: true, payload: { runId, status: 'error', summary: 'failed', result } }
        : {
            ok: true,
            payload: { runId, status: 'timeout', summary: 'aborted', timeoutPhase: 'provider', result },
          };
    }
  }
}

/** The answer to `agent.wait` for a run that has ended. */
export function waitPayload(session: Session, { outcome, endedAt }: Ended): object {
  const { runId, startedAt } = session;
  switch (outcome.status) {
    case 'ok': {
      const terminalReply = { disposition: 'visible', text: outcome.text };
      return { runId, status: 'ok', endedAt, stopReason: 'stop', livenessState: 'working', terminalReply };
    }
    case 'aborted':
      return { runId, status: 'error', startedAt, endedAt, stopReason: 'rpc' };
    case 'timed-out':
      return {
        runId,
        status: 'timeout',
        startedAt,
        endedAt,
        error: errorText(outcome),
        timeoutPhase: 'provider',
      };
    default:
      return { runId, status: 'error', endedAt, error: errorText(outcome) };
  }
}

function errorText(outcome: Ended['outcome']): string {
  switch (outcome.status) {
    case 'failed':
      return outcome.message;
    case 'timed-out':
      return 'Request timed out before a response was generated. Please try again.';
    default:
      return "⚠️ Agent couldn't generate a response. Please try again.";
  }
}

function callOf({ id }: ToolUse): object {
  return { name: 'exec', toolCallId: id };
}

function itemOf(use: ToolUse): object {
  const title = `Exec ${use.command}`;
  return {
    itemId: `tool:${use.id}`,
    ...callOf(use),
    kind: 'tool',
    title,
    meta: use.command,
    commandBearing: true,
  };
}

function messageOf(text: string, timestamp: number): object {
  return { role: 'assistant', content: [{ type: 'text', text }], timestamp };
}
