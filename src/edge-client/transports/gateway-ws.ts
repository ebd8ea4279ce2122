import type { AgentAnswer, Told } from '../../fleet/agent-task.ts';
import { AgentError } from '../../fleet/errors.ts';
import { abortable } from '../abortable.ts';
import type { TaskCall, TaskTransport } from '../task-transport.ts';
import {
  agentFailed,
  agentRefused,
  agentSilent,
  agentTimedOut,
  approvalAsked,
  connectionLost,
  tooLongAnswer,
  tooManyToolCalls,
} from './agent-errors.ts';
import { GatewayConnection } from './gateway-connection.ts';
import {
  agentEventSchema,
  approvalEventSchema,
  approvalRequestedSchema,
  approvalRequestedSuffix,
  assistantEventSchema,
  type Final,
  finalSchema,
  type Response,
  toolEventSchema,
  usageEventSchema,
  waitingEventSchema,
} from './gateway-frames.ts';
import { attemptId, sessionKey } from './session-key.ts';
import { ToolLog, toolInput } from './tool-log.ts';
import { wasDenied } from './was-denied.ts';

/**
 * OpenClaw's own WebSocket protocol: hands the trace over, sees every tool call with its real result, and can
 * abort. The agent goes on when the connection is lost, so an abort is always said, never implied.
 *
 * A command that is not on the machine's list is denied by the gateway and the broker themselves; here it is only told.
 * Nothing that is sent from here can approve anything: a gateway that asks nevertheless has its run aborted, which
 * cancels what it asked for (openclaw 2026.9.6).
 */
export const gatewayWs: TaskTransport = { send };

async function send(call: TaskCall): Promise<AgentAnswer> {
  const { machine, task, limits, clock } = call;
  const runaway = new AbortController();
  const ended = AbortSignal.any([call.signal, runaway.signal]);
  const socket = await call.open(ended);
  const tools = new ToolLog(clock);
  const gateway = new GatewayConnection(socket, (event, payload) => {
    if (event === 'agent') observe(payload, call, tools, runaway);
    else if (event.endsWith(approvalRequestedSuffix)) {
      const { data } = approvalRequestedSchema.safeParse(payload);
      refuseToApprove(toolInput(data?.request ?? payload), call, runaway);
    }
  });
  try {
    const hello = await abortable(gateway.connect(call.token), ended);
    if (!hello.ok) throw agentRefused(machine, reasonOf(hello));
    const final = await abortable(gateway.request('agent', paramsOf(call), task.traceparent), ended);
    return answerOf(final, call, tools);
  } catch (error) {
    if (ended.aborted) {
      const abort = gateway.request('sessions.abort', { key: sessionKey(task), runId: attemptId(task) });
      await abortable(abort, AbortSignal.timeout(limits.abortTimeoutMs)).catch(() => {});
      throw ended.reason;
    }
    throw error instanceof AgentError ? error : connectionLost(machine, socket, error);
  } finally {
    socket.destroy();
  }
}

function paramsOf({ task, limits }: TaskCall) {
  return {
    message: task.message,
    agentId: task.agentId,
    sessionKey: sessionKey(task),
    // Becomes the gateway's run id; sent twice, it would be served once.
    idempotencyKey: attemptId(task),
    // In seconds. Ours comes first; this one ends a run whose supervisor is gone.
    timeout: Math.ceil((limits.taskTimeoutMs + limits.abortTimeoutMs) / 1_000),
  };
}

/** Takes in what the agent does while it does it, and stops one that runs away. */
function observe(payload: unknown, call: TaskCall, tools: ToolLog, runaway: AbortController): void {
  const { machine, task, limits } = call;
  const event = agentEventSchema.safeParse(payload);
  if (!event.success || event.data.runId !== attemptId(task)) return;
  const { stream, data } = event.data;
  if (stream === 'tool') {
    const toolEvent = toolEventSchema.safeParse(data);
    if (!toolEvent.success) return;
    const ended = tools.add(toolEvent.data);
    if (ended) task.onToolCall?.(ended);
    if (ended && wasDenied(toolEvent.data)) task.onDenied?.(ended.input);
    if (tools.seen > limits.maxToolCalls) runaway.abort(tooManyToolCalls(machine, limits.maxToolCalls));
  } else if (stream === 'usage') {
    const used = usageEventSchema.safeParse(data);
    if (used.success) task.onOutputTokens?.(used.data.outputTokens);
  } else if (stream === 'assistant') {
    const said = assistantEventSchema.safeParse(data);
    if (said.success && isTooLong(said.data.text, call)) {
      runaway.abort(tooLongAnswer(machine, limits.maxAnswerBytes));
    }
  } else if (stream === 'lifecycle') {
    const waiting = waitingEventSchema.safeParse(data);
    if (waiting.success) refuseToApprove(tools.inputOf(waiting.data.toolCallId), call, runaway);
  } else if (stream === 'approval' && approvalEventSchema.safeParse(data).success) {
    refuseToApprove(toolInput(data), call, runaway);
  }
}

/** Ends a run that waits for an approval; the gateway may say so more than once. */
function refuseToApprove(
  command: string | undefined,
  { machine, task }: TaskCall,
  runaway: AbortController,
): void {
  if (runaway.signal.aborted) return;
  task.onDenied?.(command || 'a command that the gateway did not name');
  runaway.abort(approvalAsked(machine));
}

function answerOf(response: Response, call: TaskCall, tools: ToolLog): AgentAnswer {
  const { machine, limits } = call;
  if (response.payload === undefined) throw agentRefused(machine, reasonOf(response));
  const final = finalSchema.safeParse(response.payload);
  if (!final.success) throw agentFailed(machine, 'its final answer has an unknown form');
  const { status, summary, result } = final.data;
  const told = toldIn(final.data);
  if (status === 'timeout') throw agentTimedOut(machine, told);
  if (status !== 'ok') {
    const reason = result?.meta?.error?.message ?? response.error?.message ?? summary ?? status;
    throw agentFailed(machine, reason, told);
  }
  const text = textOf(final.data);
  if (text === '') throw agentSilent(machine, told);
  if (isTooLong(text, call)) throw tooLongAnswer(machine, limits.maxAnswerBytes, told);
  return { text, toolCalls: tools.ended, ...told };
}

/** What it says of model and tokens, also where the run failed. */
function toldIn({ result }: Final): Told {
  const { model, usage } = result?.meta?.agentMeta ?? {};
  return {
    ...(usage && {
      usage: {
        inputTokens: usage.input + usage.cacheRead + usage.cacheWrite,
        outputTokens: usage.output,
        cacheReadTokens: usage.cacheRead,
        cacheWriteTokens: usage.cacheWrite,
      },
    }),
    ...(model !== undefined && { model }),
  };
}

function textOf({ result }: Final): string {
  const said = (result?.payloads ?? []).filter(({ isError }) => !isError).map(({ text }) => text ?? '');
  return said.join('\n\n').trim();
}

function isTooLong(text: string, { limits }: TaskCall): boolean {
  return Buffer.byteLength(text) > limits.maxAnswerBytes;
}

function reasonOf({ error }: Response): string {
  return error?.message ?? 'it gave no reason';
}
