import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { allowedCommand, type Mode, modeOf, type ScriptStep, scripts } from './scripts.ts';

const contentSchema = z.union([
  z.string(),
  z
    .array(z.object({ text: z.string().default('') }))
    .transform((parts) => parts.map(({ text }) => text).join('')),
]);

const requestSchema = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: contentSchema.nullish() })),
});

/** An OpenAI-compatible model server whose model follows the `MODE:…` of its task; see `scripts.ts`. */
export interface StubModel {
  readonly url: string;
  /** How many requests are left without an answer and not given up by the agent. */
  hanging(): number;
  close(): Promise<void>;
}

/** The tokens of one answer, as the server counts them. */
export interface AnsweredTokens {
  readonly inputTokens: number;
  /** Of the input, read from a cache. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
}

export interface StubModelOptions {
  /** Of loopback; a free one by default. */
  readonly port?: number;
  /** How an agent calls the command that it may run, where that is not the command itself. */
  readonly allowed?: string;
  /** What it does where a task names no script. */
  readonly otherwise?: Mode;
  /** Of the 111 tokens of each request, how many it finds in its cache; none by default. */
  readonly cachedTokens?: number;
  /** Is told of each answer with tokens. */
  readonly onAnswer?: (tokens: AnsweredTokens) => void;
  /** While it says so, requests are left without an answer. */
  readonly hangs?: () => boolean;
}

/** Starts it. It answers streamed, as OpenClaw asks for. */
export async function startStubModel(options: StubModelOptions = {}): Promise<StubModel> {
  const { port = 0, allowed = allowedCommand, otherwise, cachedTokens = 0 } = options;
  const tokens = { inputTokens: 111, cachedTokens, outputTokens: 22 };
  let hanging = 0;
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') {
      response.setHeader('content-type', 'application/json');
      response.end('{"object":"list","data":[]}');
      return;
    }
    const { model, messages } = requestSchema.parse(await json(request));
    // The agent may append user messages of its own: the task is the last one that names a script.
    const task = messages.findLastIndex(({ role, content }) => role === 'user' && content?.includes('MODE:'));
    const outputs = messages.slice(task + 1).filter(({ role }) => role === 'tool');
    const told = messages[task]?.content ?? '';
    const script = scripts[modeOf(told, otherwise)];
    const scripted = script(
      outputs.map(({ content }) => content ?? ''),
      told,
    );
    const step = options.hangs?.() ? 'hang' : scripted;
    if (step !== 'hang') {
      const isAllowed = typeof step === 'object' && 'command' in step && step.command === allowedCommand;
      if (step !== 'fail') options.onAnswer?.(tokens);
      return answer(response, model, isAllowed ? { command: allowed } : step, outputs.length, tokens);
    }
    hanging += 1;
    response.once('close', () => {
      hanging -= 1;
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    hanging: () => hanging,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  response: ServerResponse,
  model: string,
  step: Exclude<ScriptStep, 'hang'>,
  calls: number,
  { inputTokens, cachedTokens, outputTokens }: AnsweredTokens,
): void {
  if (step === 'fail') {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"the model said no","type":"invalid_request_error"}}');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (rest: object) => {
    const chunk = { id: 'chatcmpl-stub', object: 'chat.completion.chunk', created: 0, model, ...rest };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  if ('command' in step) {
    const call = { name: 'exec', arguments: JSON.stringify({ command: step.command }) };
    const tool_calls = [{ index: 0, id: `call_${calls}`, type: 'function', function: call }];
    send({
      choices: [{ index: 0, delta: { role: 'assistant', content: null, tool_calls }, finish_reason: null }],
    });
  } else {
    send({ choices: [{ index: 0, delta: { role: 'assistant', content: step.text }, finish_reason: null }] });
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'command' in step ? 'tool_calls' : 'stop' }] });
  const usage = {
    ...{ prompt_tokens: inputTokens, completion_tokens: outputTokens },
    total_tokens: inputTokens + outputTokens,
    ...(cachedTokens > 0 && { prompt_tokens_details: { cached_tokens: cachedTokens } }),
  };
  send({ choices: [], usage });
  response.end('data: [DONE]\n\n');
}
