import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { AgentAnswer } from '../../fleet/agent-task.ts';
import { AgentError } from '../../fleet/errors.ts';
import { httpOver } from '../http-client.ts';
import { parseJson } from '../parse-json.ts';
import type { TaskCall, TaskTransport } from '../task-transport.ts';
import { agentFailed, agentRefused, agentSilent, connectionLost, tooLongAnswer } from './agent-errors.ts';
import { tokensSchema } from './gateway-frames.ts';
import { eventData } from './server-sent-events.ts';
import { sessionKey } from './session-key.ts';

/** How much of an error's body is read, in bytes. */
const errorBodyMaxBytes = 16 * 1024;
/** Answers that mean "not this task, not from you": retrying cannot help. */
const refusingStatuses: readonly number[] = [400, 401, 403, 404, 405];

const errorSchema = z.object({ error: z.object({ message: z.string() }) });

const chunkSchema = z.object({
  model: z.string().optional(),
  choices: z.array(
    z.object({
      delta: z.object({ content: z.string().nullish() }).optional(),
      finish_reason: z.string().nullish(),
    }),
  ),
  /** What cannot be, and nothing at all, counts as not told. */
  usage: z
    .object({
      prompt_tokens: tokensSchema,
      completion_tokens: tokensSchema,
      prompt_tokens_details: z.object({ cached_tokens: tokensSchema.nullish() }).nullish(),
    })
    .refine(
      ({ prompt_tokens, completion_tokens, prompt_tokens_details }) =>
        prompt_tokens + completion_tokens > 0 && (prompt_tokens_details?.cached_tokens ?? 0) <= prompt_tokens,
    )
    .nullish()
    .catch(undefined),
});

/**
 * OpenAI's chat completions, streamed: works with any agent that serves them. Sees no tool calls, and so not which were
 * denied. Closing the connection is what cancels the agent (OpenClaw: at once).
 */
export const chatCompletions: TaskTransport = { send };

async function send(call: TaskCall): Promise<AgentAnswer> {
  const { machine, signal } = call;
  const socket = await call.open(signal);
  try {
    const response = await httpOver(socket).request(requestOf(call));
    const streams = response.headers['content-type']?.includes('text/event-stream') ?? false;
    if (response.statusCode !== 200 || !streams) throw await refusal(response, machine);
    return await readAnswer(response.body, call);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof AgentError ? error : connectionLost(machine, socket, error);
  } finally {
    socket.destroy();
  }
}

function requestOf({ token, task, signal }: TaskCall): Dispatcher.RequestOptions {
  return {
    path: '/v1/chat/completions',
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
      traceparent: task.traceparent,
      'x-openclaw-agent-id': task.agentId,
      'x-openclaw-session-key': sessionKey(task),
    },
    body: JSON.stringify({
      model: modelOf(task.agentId),
      messages: [{ role: 'user', content: task.message }],
      stream: true,
      stream_options: { include_usage: true },
    }),
    signal,
  };
}

/** How OpenClaw addresses an agent where OpenAI names a model. */
function modelOf(agentId: string): string {
  return `openclaw/${agentId}`;
}

async function readAnswer(body: AsyncIterable<Uint8Array>, call: TaskCall): Promise<AgentAnswer> {
  const { machine, task, limits } = call;
  let text = '';
  let finished = false;
  let usage: AgentAnswer['usage'];
  let model: string | undefined;
  for await (const data of eventData(body)) {
    if (data === '[DONE]') {
      finished = true;
      break;
    }
    const json = parseJson(data);
    const failed = errorSchema.safeParse(json);
    if (failed.success) throw agentFailed(machine, failed.data.error.message);
    const chunk = chunkSchema.safeParse(json);
    if (!chunk.success) throw agentFailed(machine, 'its stream holds something that is no chat completion');
    model = chunk.data.model ?? model;
    if (chunk.data.usage) {
      const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = chunk.data.usage;
      const cacheReadTokens = chunk.data.usage.prompt_tokens_details?.cached_tokens;
      usage = { inputTokens, outputTokens, ...(typeof cacheReadTokens === 'number' && { cacheReadTokens }) };
    }
    for (const { delta, finish_reason } of chunk.data.choices) {
      text += delta?.content ?? '';
      finished ||= typeof finish_reason === 'string';
    }
    if (Buffer.byteLength(text) > limits.maxAnswerBytes) throw tooLongAnswer(machine, limits.maxAnswerBytes);
  }
  if (!finished) throw new Error('the stream ended in the middle');
  const told = {
    ...(usage && { usage }),
    // OpenClaw only repeats what it was asked for, which says nothing about the model.
    ...(model !== undefined && model !== modelOf(task.agentId) && { model }),
  };
  if (text.trim() === '') throw agentSilent(machine, told);
  return { text: text.trim(), toolCalls: [], ...told };
}

async function refusal(response: Dispatcher.ResponseData, machine: string): Promise<AgentError> {
  const { statusCode, body } = response;
  const error = errorSchema.safeParse(parseJson(await beginning(body)));
  const reason = `HTTP ${statusCode}${error.success ? ` (${error.data.error.message})` : ''}`;
  return refusingStatuses.includes(statusCode) ? agentRefused(machine, reason) : agentFailed(machine, reason);
}

async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > errorBodyMaxBytes) break;
  }
  return Buffer.concat(chunks).toString();
}
