import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { agentId, defaultTaskTimeoutMs, version } from './gateway-facts.ts';
import { sameText } from './same-text.ts';
import type { Ended } from './session.ts';
import type { Sessions } from './sessions.ts';

const contentSchema = z.union([
  z.string(),
  z.array(z.object({ text: z.string().default('') })).transform((parts) => parts.map((p) => p.text).join('')),
]);

const completionSchema = z.object({
  model: z.string(),
  stream: z.boolean().default(false),
  stream_options: z.object({ include_usage: z.boolean().default(false) }).prefault({}),
  messages: z.array(z.object({ role: z.string(), content: contentSchema })).default([]),
});

export interface GatewayHttpOptions {
  readonly token: string;
  readonly sessions: Sessions;
  readonly isReady: () => boolean;
  readonly clock: () => number;
}

/**
 * The HTTP side of the gateway as captured from OpenClaw 2026.9.6: `/healthz`, `/startupz`, `/readyz` and
 * `POST /v1/chat/completions`, streamed or not. Usage is counted in words.
 */
export function createGatewayHttp(options: GatewayHttpOptions): RequestListener {
  const { token, sessions, isReady, clock } = options;
  const startedAt = clock();

  return async (request, response) => {
    const uptimeMs = clock() - startedAt;
    const ready = isReady();
    switch (request.url) {
      case '/healthz':
        return reply(response, 200, { ok: true, status: 'live' });
      case '/startupz':
        return ready
          ? reply(response, 200, { ok: true, status: 'started', version, uptimeMs })
          : reply(response, 503, {
              ok: false,
              status: 'starting',
              version,
              uptimeMs,
              pendingReason: 'startup-sidecars',
            });
      case '/readyz':
        return reply(response, ready ? 200 : 503, {
          ready,
          failing: ready ? [] : ['startup-sidecars'],
          uptimeMs,
        });
      case '/v1/chat/completions':
        return complete(request, response);
      default:
        return refuse(response, 404, 'Not Found', 'not_found');
    }
  };

  async function complete(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST', 'content-type': 'text/plain; charset=utf-8' });
      response.end('Method Not Allowed');
      return;
    }
    if (!sameText(request.headers.authorization ?? '', `Bearer ${token}`)) {
      return refuse(response, 401, 'Unauthorized', 'unauthorized');
    }
    const parsed = completionSchema.safeParse(await json(request).catch(() => undefined));
    if (!parsed.success) return refuse(response, 400, 'The body is not a chat completion request.');
    const { model, messages, stream, stream_options } = parsed.data;
    const [, inModel = 'default'] = /^openclaw(?:\/(.+))?$/.exec(model) ?? [undefined, null];
    if (inModel === null)
      return refuse(response, 400, 'Invalid `model`. Use `openclaw` or `openclaw/<agentId>`.');
    const wanted = request.headers['x-openclaw-agent-id'] ?? inModel;
    if (wanted !== agentId && wanted !== 'default')
      return refuse(response, 400, `Unknown agent '${wanted}'.`);
    const task = messages.findLast(({ role }) => role === 'user')?.content;
    if (task === undefined) return refuse(response, 400, 'Missing user message in `messages`.');

    const id = `chatcmpl_${randomUUID()}`;
    const created = Math.floor(clock() / 1000);
    const chunk = (choices: unknown[], rest = {}): void => {
      sendEvent(response, { id, object: 'chat.completion.chunk', created, model, choices, ...rest });
    };
    if (stream) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
      chunk([{ index: 0, delta: { role: 'assistant' }, finish_reason: null }]);
    }
    const key = request.headers['x-openclaw-session-key'];
    const session = sessions.start({
      runId: id,
      sessionKey: typeof key === 'string' ? key : `agent:${agentId}:${id}`,
      task,
      timeoutMs: defaultTaskTimeoutMs,
      onEvent(event) {
        if (stream && event.kind === 'text') {
          chunk([{ index: 0, delta: { content: event.text }, finish_reason: null }]);
        }
      },
    });
    // A client that goes away cancels its run.
    response.once('close', () => session.abort());
    const ended = await session.ended;
    const failed = ended.outcome.status !== 'ok';
    if (!stream) {
      if (ended.outcome.status !== 'ok') return refuse(response, 500, 'internal error', 'api_error');
      const message = { role: 'assistant', content: ended.outcome.text };
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      return reply(response, 200, {
        id,
        object: 'chat.completion',
        created,
        model,
        choices,
        usage: usageOf(ended),
      });
    }
    if (failed) sendEvent(response, { error: { message: 'internal error', type: 'api_error' } });
    else {
      chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]);
      if (stream_options.include_usage) chunk([], { usage: usageOf(ended) });
    }
    response.end('data: [DONE]\n\n');
  }
}

function usageOf({ usage }: Ended): object {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  type = 'invalid_request_error',
): void {
  reply(response, status, { error: { message, type } });
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

function sendEvent(response: ServerResponse, data: unknown): void {
  response.write(`data: ${JSON.stringify(data)}\n\n`);
}
