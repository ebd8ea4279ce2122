import { amount, field, text } from './reader.ts';
import type { EventTrace } from './trace-place.ts';

/** What every event of a run tells. */
interface RunEvent {
  /** The gateway's id of the run; attempts that follow one another share it. */
  readonly runId: string;
  readonly sessionKey?: string;
  readonly sessionId?: string;
  readonly trace: EventTrace;
  /** When it was told, milliseconds since the epoch: the end of what it tells of. */
  readonly at: number;
}

/** The agent begins an attempt at its task. Its span is the parent of its calls' spans. */
export interface RunStarted extends RunEvent {
  readonly kind: 'run-started';
}

export interface RunEnded extends RunEvent {
  readonly kind: 'run-ended';
  readonly durationMs: number;
  readonly outcome: string;
  readonly error?: string;
}

export interface ModelCall extends RunEvent {
  readonly kind: 'model-call';
  readonly provider: string;
  readonly model: string;
  readonly durationMs: number;
  readonly timeToFirstByteMs?: number;
  readonly usage?: Usage;
  readonly costUsd?: number;
  readonly error?: string;
}

export interface Usage {
  /** Cached ones included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

export interface ToolCall extends RunEvent {
  readonly kind: 'tool-call';
  readonly tool: string;
  readonly callId?: string;
  readonly durationMs: number;
  /** Why it was not even begun. */
  readonly blocked?: string;
  readonly error?: string;
}

export type AgentEvent = RunStarted | RunEnded | ModelCall | ToolCall;

/** The gateway's types of the events that are read here. */
export const eventTypes = [
  'run.started',
  'harness.run.completed',
  'harness.run.error',
  'model.call.completed',
  'model.call.error',
  'tool.execution.completed',
  'tool.execution.error',
  'tool.execution.blocked',
] as const;

/**
 * What an event of the gateway's diagnostics tells; undefined for other types and shapes. Never throws.
 * Source: `dist/diagnostic-events-*.d.ts` of openclaw@2026.9.6, and events as they came.
 */
export function readEvent(event: unknown): AgentEvent | undefined {
  const base = readBase(event);
  const type = eventTypes.find((known) => known === text(event, 'type'));
  if (base === undefined || type === undefined) return undefined;
  const durationMs = amount(event, 'durationMs') ?? 0;
  switch (type) {
    case 'run.started':
      return { ...base, kind: 'run-started' };
    case 'harness.run.completed':
      return { ...base, kind: 'run-ended', durationMs, outcome: text(event, 'outcome') ?? 'completed' };
    case 'harness.run.error':
      return { ...base, kind: 'run-ended', durationMs, outcome: 'error', error: errorOf(event) };
    case 'model.call.completed':
      return { ...base, ...readModelCall(event), durationMs };
    case 'model.call.error':
      return { ...base, ...readModelCall(event), durationMs, error: errorOf(event) };
    case 'tool.execution.completed':
      return { ...base, ...readToolCall(event), durationMs };
    case 'tool.execution.error':
      return { ...base, ...readToolCall(event), durationMs, error: errorOf(event) };
    case 'tool.execution.blocked':
      return { ...base, ...readToolCall(event), durationMs, blocked: blockedBecause(event) };
  }
}

function readBase(event: unknown): RunEvent | undefined {
  const runId = text(event, 'runId');
  const at = amount(event, 'ts');
  const trace = readTrace(field(event, 'trace'));
  if (runId === undefined || at === undefined || trace === undefined) return undefined;
  const sessionKey = text(event, 'sessionKey');
  const sessionId = text(event, 'sessionId');
  return { runId, at, trace, ...(sessionKey && { sessionKey }), ...(sessionId && { sessionId }) };
}

function readTrace(trace: unknown): EventTrace | undefined {
  const traceId = hex(trace, 'traceId', 32);
  const spanId = hex(trace, 'spanId', 16);
  if (traceId === undefined || spanId === undefined) return undefined;
  const parentSpanId = hex(trace, 'parentSpanId', 16);
  return { traceId, spanId, ...(parentSpanId && { parentSpanId }) };
}

function hex(value: unknown, name: string, digits: number): string | undefined {
  const found = text(value, name);
  return found?.length === digits && /^[0-9a-f]+$/.test(found) ? found : undefined;
}

function readModelCall(event: unknown) {
  const timeToFirstByteMs = amount(event, 'timeToFirstByteMs');
  const usage = readUsage(field(event, 'usage'));
  const costUsd = amount(field(field(event, 'usage'), 'cost'), 'total');
  return {
    kind: 'model-call' as const,
    provider: text(event, 'provider') ?? 'unknown',
    model: text(event, 'model') ?? 'unknown',
    ...(timeToFirstByteMs !== undefined && { timeToFirstByteMs }),
    ...(usage && { usage }),
    ...(costUsd !== undefined && { costUsd }),
  };
}

/** The gateway counts cached tokens apart from `input`. A call that failed early reports zeros, which say nothing. */
function readUsage(usage: unknown): Usage | undefined {
  const cacheReadTokens = amount(usage, 'cacheRead') ?? 0;
  const cacheWriteTokens = amount(usage, 'cacheWrite') ?? 0;
  const inputTokens = (amount(usage, 'input') ?? 0) + cacheReadTokens + cacheWriteTokens;
  const outputTokens = amount(usage, 'output') ?? 0;
  if (inputTokens + outputTokens === 0) return undefined;
  return { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens };
}

function readToolCall(event: unknown) {
  const callId = text(event, 'toolCallId');
  return {
    kind: 'tool-call' as const,
    tool: text(event, 'toolName') ?? 'unknown',
    ...(callId && { callId }),
  };
}

function errorOf(event: unknown): string {
  return (
    text(event, 'failureKind') ??
    text(event, 'terminalReason') ??
    text(event, 'errorCode') ??
    text(event, 'errorCategory') ??
    'failed'
  );
}

function blockedBecause(event: unknown): string {
  return text(event, 'deniedReason') ?? text(event, 'reason') ?? 'blocked';
}
