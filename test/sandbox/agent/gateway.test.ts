import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startReplySchema } from '../../../src/edge-client/gate-protocol.ts';
import { type AgentName, agentProgram } from '../../support/agent-program.ts';
import { GatewaySocket, httpOver } from '../../support/channel-clients.ts';
import { isRunning } from '../../support/is-running.ts';
import { MachineUnderTest, traceparent } from '../../support/machine-under-test.ts';

const task =
  'The supervisor measured the load of tested-01 (role test) itself and found:\n' +
  '- warning: load 9 over 5 minutes\n\nBy the rules of the fleet file that is: warning.\n\n' +
  'End with one line:\nVERDICT: ok|warning|critical|inconclusive';

/** A machine whose agent is active and ready; the sandbox agent, or one that misbehaves. */
async function activated(agent?: AgentName) {
  const under = await MachineUnderTest.start(agent ? { agentCommand: agentProgram(agent) } : {});
  const { token } = startReplySchema.parse(await under.client.reply(`start 1 r-00000000aaaa ${traceparent}`));
  const channel = () => under.client.open('connect 1');
  const get = async (path: string) => httpOver(await channel(), path).catch(() => undefined);
  const socket = async () => new GatewaySocket(await channel());
  const connected = async (changes = {}) => {
    const gateway = await socket();
    await gateway.connect(token, changes);
    return gateway;
  };
  const complete = async (body: unknown, headers: Record<string, string> = {}) =>
    httpOver(await channel(), '/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body,
    });
  return {
    under,
    token,
    get,
    socket,
    connected,
    complete,
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  };
}

type Activated = Awaited<ReturnType<typeof activated>>;

async function ready(on: Activated): Promise<Activated> {
  await vi.waitFor(async () => expect(await on.get('/readyz')).toMatchObject({ status: 200 }), 10_000);
  return on;
}

describe('the sandbox agent over its WebSocket', () => {
  let on: Activated;
  beforeAll(async () => {
    on = await ready(await activated());
  });
  afterAll(async () => {
    await on[Symbol.asyncDispose]();
  });

  it('greets with a challenge and says hello to the token of the activation', async () => {
    const gateway = await on.socket();
    expect(await gateway.connect(on.token)).toMatchObject({
      ok: true,
      payload: { type: 'hello-ok', protocol: 4, policy: { tickIntervalMs: 30_000 } },
    });
  });

  it.each([
    ['another token', { auth: { token: 'wrong' } }, { details: { code: 'AUTH_TOKEN_MISMATCH' } }, 1008],
    ['no token', { auth: undefined }, { code: 'NOT_PAIRED' }, 1008],
    ['protocol 3', { minProtocol: 3, maxProtocol: 3 }, { details: { code: 'PROTOCOL_MISMATCH' } }, 1002],
    ['an unknown property', { extra: 1 }, { code: 'INVALID_REQUEST' }, 1008],
    ['an unknown client', { client: { id: 'me', version: '1', platform: 'x', mode: 'backend' } }, {}, 1008],
  ])('refuses %s and closes', async (_what, changes, error, code) => {
    const gateway = await on.socket();
    expect(await gateway.connect(on.token, changes)).toMatchObject({ ok: false, error });
    expect(await gateway.closed).toMatchObject({ code });
  });

  it('wants connect first', async () => {
    const gateway = await on.socket();
    await gateway.frame((f) => f.event === 'connect.challenge');
    expect(await gateway.ask('agent', {})).toMatchObject({ ok: false, error: { code: 'INVALID_REQUEST' } });
    expect(await gateway.closed).toMatchObject({ code: 1008 });
  });

  it('works on a task with real commands, tells each, and ends with the text, in the order of OpenClaw', async () => {
    const gateway = await on.connected();
    const params = {
      message: task,
      agentId: 'edge',
      sessionKey: 'agent:edge:one',
      idempotencyKey: 'run-one',
    };
    const id = gateway.send('agent', params, { traceparent });
    const accepted = await gateway.frame((f) => f.type === 'res' && f.id === id);
    expect(accepted.payload).toMatchObject({ runId: 'run-one', status: 'accepted', agentId: 'edge' });
    const final = await gateway.answer(id);
    expect(final).toMatchObject({
      ok: true,
      payload: { runId: 'run-one', status: 'ok', summary: 'completed' },
    });
    const { payloads, meta } = final.payload.result;
    expect(meta.finalAssistantVisibleText).toBe(payloads[0].text);
    expect(payloads[0].text).toMatch(/^The load is [\d.]+ over 1 minute/);
    expect(payloads[0].text).toContain('rule-based sandbox agent, not a language model');
    expect(payloads[0].text).toMatch(/\nVERDICT: warning$/);
    expect(meta.agentMeta).toMatchObject({ provider: 'sandbox', model: 'sandbox-rules' });
    const { input, output, total } = meta.agentMeta.usage;
    expect(input).toBeGreaterThan(output);
    expect(total).toBe(input + output);
    expect(meta.toolSummary).toEqual({ calls: 3, tools: ['exec'], failures: 0 });

    const call = [
      'lifecycle/model',
      'item/start',
      'tool/start',
      'tool/result',
      'item/end',
      'command_output/end',
    ];
    expect(gateway.streams('run-one')).toEqual([
      'lifecycle/start',
      ...call,
      ...call,
      ...call,
      'lifecycle/model',
      'assistant',
      'lifecycle/end',
    ]);
    const [args] = gateway.frames.filter(
      (f) => f.payload?.stream === 'tool' && f.payload.data.phase === 'start',
    );
    expect(args?.payload.data).toMatchObject({ name: 'exec', args: { command: 'cat /proc/loadavg' } });
    const [result] = gateway.frames.filter(
      (f) => f.payload?.stream === 'tool' && f.payload.data.phase === 'result',
    );
    expect(result?.payload.data).toMatchObject({ isError: false, result: { details: { exitCode: 0 } } });
    expect(result?.payload.data.result.content[0].text).toMatch(/^\d+\.\d+ \d+\.\d+ /);
    const numbers = gateway.frames.filter((f) => f.type === 'event').flatMap((f) => f.seq ?? []);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('answers again for a run that has ended, on any connection, without working again', async () => {
    const gateway = await on.connected();
    const again = await gateway.ask('agent', { message: task, idempotencyKey: 'run-one' });
    expect(again.payload).toMatchObject({
      status: 'ok',
      result: { payloads: [{ text: expect.any(String) }] },
    });
    expect(gateway.streams('run-one')).toEqual([]);
    const waited = await gateway.ask('agent.wait', { runId: 'run-one', timeoutMs: 1_000 });
    expect(waited.payload).toMatchObject({ status: 'ok', terminalReply: { disposition: 'visible' } });
    const unknown = await gateway.ask('agent.wait', { runId: 'nobody', timeoutMs: 1 });
    expect(unknown.payload).toEqual({ runId: 'nobody', status: 'timeout' });
  });

  it('shows tool calls only to the client that asked and has the capability', async () => {
    const observer = await on.connected();
    const asker = await on.connected({ caps: [] });
    await asker.ask('agent', { message: task, idempotencyKey: 'run-two' });
    await observer.frame(
      (f) => f.event === 'chat' && f.payload.runId === 'run-two' && f.payload.state === 'final',
    );
    expect(asker.streams('run-two').filter((stream) => stream.startsWith('tool'))).toEqual([]);
    expect(observer.streams('run-two').filter((stream) => stream.startsWith('tool'))).toEqual([]);
    expect(observer.streams('run-two')).toContain('command_output/end');
  });

  it.each([
    [
      'an agent that it does not have',
      'agent',
      { message: 'x', idempotencyKey: 'a', agentId: 'ghost' },
      'ghost',
    ],
    ['no idempotency key', 'agent', { message: 'x' }, 'idempotencyKey'],
    ['an empty message', 'agent', { message: '', idempotencyKey: 'b' }, 'message'],
    ['an unknown property', 'agent', { message: 'x', idempotencyKey: 'c', zzz: 1 }, 'zzz'],
    ['a method beyond its scopes', 'config.set', {}, 'operator.admin'],
  ])('refuses %s and stays connected', async (_what, method, params, message) => {
    const gateway = await on.connected();
    const { ok, error } = await gateway.ask(method, params);
    expect({ ok, message: error.message }).toEqual({ ok: false, message: expect.stringContaining(message) });
    expect((await gateway.ask('agent.wait', { runId: 'x', timeoutMs: 1 })).ok).toBe(true);
  });

  it('refuses a client without the scope to write', async () => {
    const gateway = await on.connected({ scopes: ['operator.read'] });
    const { error } = await gateway.ask('agent', { message: 'x', idempotencyKey: 'd' });
    expect(error).toMatchObject({ code: 'FORBIDDEN', details: { missingScope: 'operator.write' } });
  });

  it('says what it can do when it does not understand, without a verdict nobody asked for', async () => {
    const gateway = await on.connected();
    const { payload } = await gateway.ask('agent', { message: 'Sing a song.', idempotencyKey: 'run-song' });
    const [{ text }] = payload.result.payloads;
    expect(text).toContain('I only know rules for cleanup, disk, memory, load, services');
    expect(text).not.toContain('VERDICT');
  });
});

describe('the sandbox agent over HTTP', () => {
  let on: Activated;
  beforeAll(async () => {
    on = await ready(await activated());
  });
  afterAll(async () => {
    await on[Symbol.asyncDispose]();
  });
  const body = { model: 'openclaw/edge', messages: [{ role: 'user', content: task }] };

  it('tells its health', async () => {
    expect(JSON.parse((await on.get('/healthz'))?.body ?? '')).toEqual({ ok: true, status: 'live' });
    expect(JSON.parse((await on.get('/readyz'))?.body ?? '')).toMatchObject({ ready: true, failing: [] });
    expect(JSON.parse((await on.get('/startupz'))?.body ?? '')).toMatchObject({ status: 'started' });
    expect(await on.get('/elsewhere')).toMatchObject({ status: 404 });
  });

  it('completes a chat', async () => {
    const { status, body: answer } = await on.complete(body, { 'x-openclaw-session-key': 'agent:edge:http' });
    expect(status).toBe(200);
    const { id, model, object, choices, usage } = JSON.parse(answer);
    expect({ model, object }).toEqual({ model: 'openclaw/edge', object: 'chat.completion' });
    expect(id).toMatch(/^chatcmpl_/);
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } });
    expect(choices[0].message.content).toMatch(/^The load is .*\nVERDICT: warning$/s);
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
  });

  it('streams a completion with usage', async () => {
    const streamed = { ...body, stream: true, stream_options: { include_usage: true } };
    const { type, body: events } = await on.complete(streamed);
    expect(type).toBe('text/event-stream; charset=utf-8');
    const data = events
      .trim()
      .split('\n\n')
      .map((event) => event.replace(/^data: /, ''));
    expect(data.pop()).toBe('[DONE]');
    const chunks = data.map((chunk) => JSON.parse(chunk));
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant' });
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toMatch(
      /VERDICT: warning$/,
    );
    expect(chunks.at(-2).choices[0].finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
  });

  it.each([
    ['another token', 401, body, { authorization: 'Bearer wrong' }],
    ['an unknown agent', 400, { ...body, model: 'openclaw/ghost' }, {}],
    ['an unknown agent in the header', 400, body, { 'x-openclaw-agent-id': 'ghost' }],
    ['another model', 400, { ...body, model: 'gpt' }, {}],
    ['no user message', 400, { ...body, messages: [] }, {}],
    ['broken JSON', 400, '{nope', {}],
  ])('refuses %s', async (_what, status, wrong, headers) => {
    const answer = await on.complete(wrong, headers);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).error.message).not.toBe('');
  });

  it('takes no GET', async () => {
    expect(await on.get('/v1/chat/completions')).toMatchObject({ status: 405 });
  });
});

describe('an agent that misbehaves', () => {
  it('can be aborted while its model hangs', async () => {
    await using on = await ready(await activated('hangs'));
    const gateway = await on.connected();
    const params = { message: 'x', idempotencyKey: 'h', sessionKey: 'k' };
    const id = gateway.send('agent', params);
    await gateway.frame((f) => f.payload?.data?.phase === 'model');
    expect((await gateway.ask('agent', params)).payload).toMatchObject({ status: 'in_flight' });
    const aborted = await gateway.ask('sessions.abort', { key: 'agent:edge:k' });
    expect(aborted.payload).toEqual({ ok: true, abortedRunId: 'h', status: 'aborted' });
    expect((await gateway.answer(id)).payload).toMatchObject({ status: 'timeout', stopReason: 'rpc' });
    const again = await gateway.ask('sessions.abort', { runId: 'h' });
    expect(again.payload).toEqual({ ok: true, abortedRunId: null, status: 'no-active-run' });
    const waited = await gateway.ask('agent.wait', { runId: 'h', timeoutMs: 1_000 });
    expect(waited.payload).toMatchObject({ status: 'error', stopReason: 'rpc' });
  });

  it('keeps working when its WebSocket client goes away, and ends a hanging task at its limit', async () => {
    await using on = await ready(await activated('hangs'));
    const first = await on.connected();
    const id = first.send('agent', { message: 'x', idempotencyKey: 'h', timeout: 1 });
    await first.frame((f) => f.type === 'res' && f.id === id);
    first.socket.close();
    const second = await on.connected();
    const waited = await second.ask('agent.wait', { runId: 'h', timeoutMs: 10_000 });
    expect(waited.payload).toMatchObject({ status: 'timeout', timeoutPhase: 'provider' });
    const final = await second.ask('agent', { message: 'x', idempotencyKey: 'h' });
    expect(final.payload).toMatchObject({ status: 'timeout', result: { payloads: [{ isError: true }] } });
  });

  it('shows every call of a loop, until it is aborted', async () => {
    await using on = await ready(await activated('loops'));
    const gateway = await on.connected();
    const id = gateway.send('agent', { message: 'x', idempotencyKey: 'l' });
    await expect
      .poll(() => gateway.streams('l').filter((s) => s === 'tool/result').length)
      .toBeGreaterThan(5);
    await gateway.ask('sessions.abort', { runId: 'l' });
    expect((await gateway.answer(id)).payload).toMatchObject({ status: 'timeout', stopReason: 'rpc' });
  });

  it('ends in an error when its model says nothing, or fails', async () => {
    await using silent = await ready(await activated('silent'));
    const quiet = await silent.connected();
    const nothing = await quiet.ask('agent', { message: 'x', idempotencyKey: 's' });
    expect(nothing).toMatchObject({
      ok: true,
      payload: { status: 'error', result: { payloads: [{ isError: true }] } },
    });
    const body = { model: 'openclaw/edge', messages: [{ role: 'user', content: 'x' }] };
    expect(await silent.complete(body)).toMatchObject({ status: 500 });

    await using failing = await ready(await activated('fails'));
    const gateway = await failing.connected();
    const failed = await gateway.ask('agent', { message: 'x', idempotencyKey: 'f' });
    expect(failed).toMatchObject({ ok: false, payload: { status: 'error' }, error: { code: 'UNAVAILABLE' } });
    expect(gateway.streams('f').at(-1)).toBe('lifecycle/error');
  });

  it('breaks its connections when its process dies, and the machine says so', async () => {
    await using on = await ready(await activated('crashes'));
    const gateway = await on.connected();
    gateway.send('agent', { message: 'x', idempotencyKey: 'c' });
    expect(await gateway.closed).toMatchObject({ code: 1006 });
    await expect.poll(() => on.under.client.reply('status')).toMatchObject({ agent: 'failed', run: null });
  });

  it('never gets ready, and takes no task before', async () => {
    await using on = await activated('never-ready');
    await expect.poll(() => on.get('/healthz'), { timeout: 10_000 }).toMatchObject({ status: 200 });
    expect(await on.get('/readyz')).toMatchObject({
      status: 503,
      body: expect.stringContaining('startup-sidecars'),
    });
    expect(await on.get('/startupz')).toMatchObject({ status: 503 });
    const gateway = await on.socket();
    expect(await gateway.closed).toMatchObject({ code: 1006 });
  });

  it('is gone after stop, with a task at work', async () => {
    await using on = await ready(await activated('hangs'));
    const gateway = await on.connected();
    gateway.send('agent', { message: 'x', idempotencyKey: 'h' });
    await gateway.frame((f) => f.payload?.data?.phase === 'model');
    const [pid = 0] = on.under.machine.pids();
    expect(await on.under.client.reply('stop 1')).toEqual({ agent: 'inactive' });
    expect(isRunning(pid)).toBe(false);
    expect(await gateway.closed).toMatchObject({ code: 1006 });
  });
});
