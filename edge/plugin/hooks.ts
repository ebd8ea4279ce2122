import { amount, field, list, text } from './reader.ts';

/** What a tool was called with and what it gave back. */
export interface ToolContent {
  readonly runId: string;
  readonly sessionKey?: string;
  readonly tool: string;
  readonly callId?: string;
  readonly durationMs: number;
  readonly input: string;
  readonly output: string;
  readonly exitCode?: number;
  /** What the gateway says went wrong. */
  readonly error?: string;
  /** The call was not begun, by a rule of the gateway. */
  readonly blocked: boolean;
}

/** What the agent said at the end of an attempt. */
export interface AgentText {
  readonly runId: string;
  readonly text: string;
  readonly error?: string;
}

/** Reads `after_tool_call`. Never throws. */
export function readToolContent(event: unknown, context: unknown): ToolContent | undefined {
  const runId = text(event, 'runId') ?? text(context, 'runId');
  if (runId === undefined) return undefined;
  const sessionKey = text(context, 'sessionKey');
  const callId = text(event, 'toolCallId') ?? text(context, 'toolCallId');
  const result = field(event, 'result');
  const details = field(result, 'details');
  const exitCode = amount(details, 'exitCode');
  const error = text(event, 'error') ?? text(details, 'error');
  return {
    runId,
    ...(sessionKey && { sessionKey }),
    tool: text(event, 'toolName') ?? 'unknown',
    ...(callId && { callId }),
    durationMs: amount(event, 'durationMs') ?? 0,
    input: inputOf(field(event, 'params')),
    output: outputOf(result),
    ...(exitCode !== undefined && { exitCode }),
    ...(error && { error }),
    blocked: text(details, 'status') === 'blocked',
  };
}

/** Reads `llm_output`. Never throws. */
export function readAgentText(event: unknown): AgentText | undefined {
  const runId = text(event, 'runId');
  if (runId === undefined) return undefined;
  const error = text(field(event, 'lastAssistant'), 'errorMessage');
  const texts = list(event, 'assistantTexts').filter((part) => typeof part === 'string');
  return { runId, text: texts.join('\n'), ...(error && { error }) };
}

/** A command as it is; any other arguments as JSON. */
function inputOf(params: unknown): string {
  return text(params, 'command') ?? json(params);
}

function outputOf(result: unknown): string {
  const parts = list(result, 'content').map((part) => text(part, 'text') ?? '');
  return parts.length > 0 ? parts.join('\n') : json(result);
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '(cannot be shown)';
  }
}
