import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { chatCompletions } from '../../src/edge-client/transports/chat-completions.ts';
import { eventData } from '../../src/edge-client/transports/server-sent-events.ts';
import { type FakeGateway, startFakeGateway } from '../support/fake-gateway.ts';
import { spanId, taskCall, traceId } from '../support/task-call.ts';

let gateway: FakeGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

async function start(onHttp: RequestListener): Promise<FakeGateway> {
  gateway = await startFakeGateway({ onHttp });
  return gateway;
}

const sends =
  (...events: string[]): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.end(events.map((event) => `data: ${event}\n\n`).join(''));
  };
const says = (content: string, rest: object = {}) =>
  JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }], ...rest });

describe('the chat completions transport', () => {
  it('asks as OpenClaw and OpenAI want it, and hands the trace over in the session key', async () => {
    let asked: { headers: IncomingHttpHeaders; body: unknown } | undefined;
    const { open } = await start(async (request, response) => {
      asked = { headers: request.headers, body: await json(request) };
      sends(says('Fine.'), '[DONE]')(request, response);
    });
    expect((await chatCompletions.send(taskCall(open))).text).toBe('Fine.');
    expect(asked?.headers).toMatchObject({
      authorization: 'Bearer a-token-of-some-length',
      'x-openclaw-agent-id': 'edge',
      'x-openclaw-session-key': `agent:edge:r-00000000aaaa-tp-${traceId}-${spanId}`,
      traceparent: `00-${traceId}-${spanId}-01`,
    });
    expect(asked?.body).toMatchObject({
      model: 'openclaw/edge',
      messages: [{ role: 'user', content: 'Is all well?' }],
      stream: true,
    });
  });

  it('puts the answer together and keeps the model where it says more than was asked', async () => {
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
    const { open } = await start(
      sends(says('Fi'), says('ne.', { model: 'gpt-x' }), JSON.stringify({ choices: [], usage }), '[DONE]'),
    );
    expect(await chatCompletions.send(taskCall(open))).toEqual({
      text: 'Fine.',
      toolCalls: [],
      usage: { inputTokens: 5, outputTokens: 2 },
      model: 'gpt-x',
    });
    await gateway?.close();
    const echoing = await start(sends(says('Fine.', { model: 'openclaw/edge' }), '[DONE]'));
    expect(await chatCompletions.send(taskCall(echoing.open))).not.toHaveProperty('model');
  });

  it('tells how much of the input came from a cache, and believes no numbers that cannot be', async () => {
    const usageOf = async (usage: object) => {
      const { open } = await start(sends(says('Fine.'), JSON.stringify({ choices: [], usage }), '[DONE]'));
      const answer = await chatCompletions.send(taskCall(open));
      await gateway?.close();
      return answer.usage;
    };
    const cached = (cached_tokens: number | null) => ({
      ...{ prompt_tokens: 222, completion_tokens: 44 },
      prompt_tokens_details: { cached_tokens },
    });
    expect(await usageOf(cached(20))).toEqual({ inputTokens: 222, outputTokens: 44, cacheReadTokens: 20 });
    expect(await usageOf(cached(null))).toEqual({ inputTokens: 222, outputTokens: 44 });
    expect(await usageOf(cached(223))).toBeUndefined();
    expect(await usageOf({ prompt_tokens: -1, completion_tokens: 2 })).toBeUndefined();
    expect(await usageOf({ prompt_tokens: 0, completion_tokens: 0 })).toBeUndefined();
  });

  it.each([
    ['agent-failed', sends(says('Fi'), '{"error":{"message":"internal error"}}', '[DONE]'), 'internal error'],
    ['agent-failed', sends('<html>oops'), 'no chat completion'],
    ['agent-lost', sends(says('Fi')), 'in the middle'],
    ['agent-silent', sends(says(' '), '[DONE]'), 'without an answer'],
    ['agent-failed', status(500, '{"error":{"message":"boom"}}'), 'HTTP 500 (boom)'],
    ['agent-failed', status(503, '<html>'), 'HTTP 503'],
    ['agent-refused', status(401, '{"error":{"message":"Unauthorized"}}'), 'HTTP 401 (Unauthorized)'],
    ['agent-refused', status(400, `{"error":{"message":"Unknown agent 'ghost'."}}`), 'ghost'],
    ['agent-failed', status(200, '{"choices":[]}'), 'HTTP 200'],
  ])('ends in %s', async (code, onHttp, shown) => {
    const { open } = await start(onHttp);
    await expect(chatCompletions.send(taskCall(open))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(shown),
    });
  });

  it('hangs up on an answer that does not end', async () => {
    let hungUp = false;
    const { open } = await start((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(`data: ${says('blah '.repeat(100))}\n\n`), 1);
      response.once('close', () => {
        clearInterval(timer);
        hungUp = true;
      });
    });
    const limits = { maxAnswerBytes: 2_000 };
    await expect(chatCompletions.send(taskCall(open, { limits }))).rejects.toMatchObject({
      code: 'agent-looped',
    });
    await expect.poll(() => hungUp).toBe(true);
  });
});

describe('server-sent events', () => {
  const read = async (...chunks: string[]) => {
    const bytes = chunks.map((chunk) => Buffer.from(chunk, 'latin1'));
    return await Array.fromAsync(
      eventData(
        (async function* () {
          yield* bytes;
        })(),
      ),
    );
  };

  it('are read across chunks, with either line end, without comments and other fields', async () => {
    expect(
      await read('data: o', 'ne\r', '\n\r\n: ping\n\nevent: x\nid: 1\ndata:two\ndata: lines\n\n'),
    ).toEqual(['one', 'two\nlines']);
  });

  it('may cut a character in two', async () => {
    const [first = 0, second = 0] = Buffer.from('é');
    expect(await read(`data: ${String.fromCharCode(first)}`, `${String.fromCharCode(second)}\n\n`)).toEqual([
      'é',
    ]);
  });

  it('that are cut short by the end are dropped', async () => {
    expect(await read('data: one\n\ndata: two\n')).toEqual(['one']);
  });

  it('of unreasonable length are refused', async () => {
    await expect(read('data: ', 'x'.repeat(2 * 1024 * 1024))).rejects.toThrow('longer than');
    await expect(read('data: x\n'.repeat(200_000))).rejects.toThrow('longer than');
  });
});

function status(code: number, body: string): RequestListener {
  return (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(body);
  };
}
