import { afterEach, describe, expect, it } from 'vitest';
import { gatewayWs } from '../../src/edge-client/transports/gateway-ws.ts';
import { toolTextMaxCharacters } from '../../src/edge-client/transports/tool-log.ts';
import type { ToolCall } from '../../src/fleet/run.ts';
import { emit, emitEvent, type FakeGateway, respond, startFakeGateway } from '../support/fake-gateway.ts';
import { spanId, taskCall, traceId } from '../support/task-call.ts';

let gateway: FakeGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

async function start(onRequest: Parameters<typeof startFakeGateway>[0]['onRequest']): Promise<FakeGateway> {
  gateway = await startFakeGateway({ onRequest: onRequest ?? (() => {}) });
  return gateway;
}

const attempt = `r-00000000aaaa-tp-${traceId}-${spanId}`;
const ofRun = (stream: string, data: object) => ({ runId: attempt, stream, data });
const unnamed = 'a command that the gateway did not name';
const final = (text: string, rest: object = {}) => ({
  status: 'ok',
  result: { payloads: [{ text }], ...rest },
});

describe('the gateway transport', () => {
  it('hands over the trace, names the attempt, and asks for no more rights than it needs', async () => {
    const { open, requests } = await start((request, socket) => respond(socket, request, final('Fine.')));
    await gatewayWs.send(taskCall(open));
    const [connect, agent] = requests;
    expect(connect?.params).toMatchObject({ minProtocol: 4, maxProtocol: 4, caps: ['tool-events'] });
    expect(connect?.params.scopes).toEqual(['operator.read', 'operator.write']);
    expect(agent).toMatchObject({
      method: 'agent',
      traceparent: `00-${traceId}-${spanId}-01`,
      params: {
        message: 'Is all well?',
        agentId: 'edge',
        idempotencyKey: attempt,
        sessionKey: `agent:edge:${attempt}`,
        timeout: 183,
      },
    });
  });

  it('waits for the final response, through frames that it does not know', async () => {
    const { open } = await start((request, socket) => {
      respond(socket, request, { status: 'accepted', runId: attempt });
      socket.send('not JSON');
      socket.send('{"type":"novelty"}');
      socket.send('{"type":"event","event":"tick","payload":{"ts":1}}');
      emit(socket, attempt, 'novelty', { phase: 'start' });
      emit(socket, attempt, 'tool', { phase: 'update', toolCallId: 'c1', name: 'exec' });
      respond(socket, { ...request, id: 'another' }, final('Not for you.'));
      respond(socket, request, final('Fine.'));
    });
    expect((await gatewayWs.send(taskCall(open))).text).toBe('Fine.');
  });

  it('keeps the tool calls of its own run, with what they brought and whether they failed', async () => {
    const seen: ToolCall[] = [];
    const call = (
      socket: Parameters<typeof emit>[0],
      runId: string,
      id: string,
      args: object,
      data: object,
    ) => {
      emit(socket, runId, 'tool', { phase: 'start', toolCallId: id, name: 'exec', args });
      emit(socket, runId, 'tool', { phase: 'result', toolCallId: id, name: 'exec', ...data });
    };
    const { open } = await start((request, socket) => {
      const output = (text: string, details: object) => ({
        result: { content: [{ type: 'text', text }], details },
      });
      call(socket, attempt, 'c1', { command: 'df -P' }, output('80%', { exitCode: 0 }));
      call(socket, 'another-run', 'x', { command: 'id' }, output('root', { exitCode: 0 }));
      call(socket, attempt, 'c2', { command: 'df\n -x' }, output('no', { exitCode: 1 }));
      call(socket, attempt, 'c3', { path: '/etc' }, { isError: true, ...output('x'.repeat(9_000), {}) });
      respond(socket, request, final('Fine.'));
    });
    const { toolCalls } = await gatewayWs.send(
      taskCall(open, { task: { onToolCall: (one) => seen.push(one) } }),
    );
    expect(toolCalls).toEqual(seen);
    expect(toolCalls).toMatchObject([
      { id: 'c1', tool: 'exec', input: 'df -P', output: '80%', failed: false },
      { id: 'c2', input: 'df ⏎ -x', failed: true },
      { id: 'c3', input: '{"path":"/etc"}', failed: true },
    ]);
    expect(toolCalls[2]?.output).toHaveLength(toolTextMaxCharacters);
  });

  it('tells of the commands that gateway and broker denied, and of no others', async () => {
    const results: Readonly<Record<string, object>> = {
      id: { isError: true, details: { error: 'exec denied: allowlist miss' } },
      'rm -r /a': {
        isError: true,
        details: { status: 'failed' },
        text: 'Exec denied (gateway id=1): rm -r /a',
      },
      reboot: { isError: true, details: { error: 'Exec approval registration failed: missing scope' } },
      'on-host reboot': {
        details: { exitCode: 126 },
        text: 'refused (not-listed): reboot is not\n\n(Command exited with code 126)',
      },
      'on-host cat /etc/shadow': { details: { exitCode: 126 }, text: 'refused (not-readable): /etc/shadow' },
      'on-host dmesg': { details: { exitCode: 1 }, text: 'exec denied: written by a program' },
      'on-host journalctl': { details: { exitCode: 0 }, text: 'refused (not-listed): written by a program' },
      'on-host sleep 90': { isError: true, details: { exitCode: null, error: 7 }, text: 'Command timed out' },
    };
    const { open } = await start((request, socket) => {
      for (const [command, result] of Object.entries(results)) {
        const { text, details, ...rest } = { text: '', details: {}, ...result };
        const call = { toolCallId: command, name: 'exec' };
        emit(socket, attempt, 'tool', { ...call, phase: 'start', args: { command } });
        const content = [{ type: 'text', text }];
        emit(socket, attempt, 'tool', { ...call, phase: 'result', ...rest, result: { content, details } });
      }
      respond(socket, request, final('Fine.'));
    });
    const denied: string[] = [];
    const { toolCalls } = await gatewayWs.send(
      taskCall(open, { task: { onDenied: (command) => denied.push(command) } }),
    );
    expect(denied).toEqual(['id', 'rm -r /a', 'reboot', 'on-host reboot']);
    expect(toolCalls.at(-1)?.output).toBe('Command timed out');
  });

  it.each([
    ['rm -r /a', 'exec.approval.requested', { id: 'a1', request: { command: 'rm -r /a', ask: 'on-miss' } }],
    ['{"title":"Send it?"}', 'plugin.approval.requested', { id: 'a1', request: { title: 'Send it?' } }],
    ['"nonsense"', 'novelty.approval.requested', 'nonsense'],
    [unnamed, 'approval.requested', undefined],
    ['rm -r /a', 'agent', ofRun('lifecycle', { phase: 'waiting-approval', toolCallId: 'c1' })],
    [unnamed, 'agent', ofRun('lifecycle', { phase: 'waiting-approval' })],
    ['rm -r /a', 'agent', ofRun('approval', { phase: 'requested', status: 'pending', command: 'rm -r /a' })],
  ])('approves nothing, and stops a run that waits for it: %s, %s', async (told, event, payload) => {
    const { open, requests } = await start((request, socket) => {
      if (request.method === 'sessions.abort')
        return respond(socket, request, { ok: true, status: 'aborted' });
      const args = { command: 'rm -r /a' };
      emit(socket, attempt, 'tool', { phase: 'start', toolCallId: 'c1', name: 'exec', args });
      // The gateway of another version might say it in several ways.
      emitEvent(socket, event, payload);
      emitEvent(socket, event, payload);
    });
    const denied: string[] = [];
    const sent = gatewayWs.send(taskCall(open, { task: { onDenied: (command) => denied.push(command) } }));
    await expect(sent).rejects.toMatchObject({
      code: 'agent-failed',
      message: expect.stringContaining('setup-edge.sh'),
    });
    expect(denied).toEqual([told]);
    expect(requests.map(({ method }) => method)).toEqual(['connect', 'agent', 'sessions.abort']);
  });

  it('is not stopped by what other runs wait for, nor by what was decided', async () => {
    const { open } = await start((request, socket) => {
      emit(socket, 'another-run', 'lifecycle', { phase: 'waiting-approval', toolCallId: 'x' });
      emit(socket, attempt, 'lifecycle', { phase: 'approval-resolved', toolCallId: 'x' });
      emit(socket, attempt, 'approval', { phase: 'resolved', status: 'denied' });
      emitEvent(socket, 'exec.approval.resolved', { id: 'a1', decision: 'deny' });
      respond(socket, request, final('Fine.'));
    });
    expect((await gatewayWs.send(taskCall(open))).text).toBe('Fine.');
  });

  it('bounds what it tells of a denied command', async () => {
    const { open } = await start((request, socket) => {
      if (request.method === 'sessions.abort') return respond(socket, request, { ok: true });
      emitEvent(socket, 'exec.approval.requested', { id: 'a1', request: { command: 'x'.repeat(9_000) } });
    });
    const denied: string[] = [];
    const sent = gatewayWs.send(taskCall(open, { task: { onDenied: (command) => denied.push(command) } }));
    await expect(sent).rejects.toMatchObject({ code: 'agent-failed' });
    expect(denied[0]).toHaveLength(toolTextMaxCharacters);
  });

  it('stops an agent whose tool calls are only told of when they end', async () => {
    const { open } = await start((request, socket) => {
      for (const id of ['c1', 'c2', 'c3']) {
        emit(socket, attempt, 'tool', { phase: 'result', toolCallId: id, name: 'exec' });
      }
      respond(socket, request, final('Fine.'));
    });
    await expect(gatewayWs.send(taskCall(open, { limits: { maxToolCalls: 2 } }))).rejects.toMatchObject({
      code: 'agent-looped',
    });
  });

  it('counts what came from the cache among the input tokens', async () => {
    const usage = { input: 202, output: 44, cacheRead: 20, cacheWrite: 0, total: 266 };
    const { open } = await start((request, socket) =>
      respond(socket, request, final('Fine.', { meta: { agentMeta: { model: 'm-1', usage } } })),
    );
    expect(await gatewayWs.send(taskCall(open))).toMatchObject({
      usage: { inputTokens: 222, outputTokens: 44, cacheReadTokens: 20, cacheWriteTokens: 0 },
      model: 'm-1',
    });
  });

  it('tells what was used also where the run failed', async () => {
    const usage = { input: 7, output: 2, cacheRead: 3, cacheWrite: 4 };
    const meta = { error: { message: 'bad SSE' }, agentMeta: { model: 'm-1', usage } };
    const { open } = await start((request, socket) =>
      respond(socket, request, { status: 'error', result: { meta } }),
    );
    await expect(gatewayWs.send(taskCall(open))).rejects.toMatchObject({
      code: 'agent-failed',
      told: {
        usage: { inputTokens: 14, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 },
        model: 'm-1',
      },
    });
  });

  it.each([
    ['that cannot be', { input: -5, output: 44 }],
    ['that are all nothing', { input: 0, output: 0 }],
    ['that are not there', {}],
  ])('believes no numbers of tokens %s', async (_what, usage) => {
    const { open } = await start((request, socket) =>
      respond(socket, request, final('Fine.', { meta: { agentMeta: { model: 'm-1', usage } } })),
    );
    expect(await gatewayWs.send(taskCall(open))).toEqual({ text: 'Fine.', toolCalls: [], model: 'm-1' });
  });

  it('tells how many tokens its own run has put out, while it works', async () => {
    const seen: number[] = [];
    const { open } = await start((request, socket) => {
      emit(socket, attempt, 'usage', { outputTokens: 22 });
      emit(socket, 'another-run', 'usage', { outputTokens: 1_000 });
      emit(socket, attempt, 'usage', { novelty: true });
      emit(socket, attempt, 'usage', { outputTokens: 44 });
      respond(socket, request, final('Fine.'));
    });
    await gatewayWs.send(taskCall(open, { task: { onOutputTokens: (tokens) => seen.push(tokens) } }));
    expect(seen).toEqual([22, 44]);
  });

  it.each([
    ['agent-timeout', { status: 'timeout', timeoutPhase: 'provider' }, 'timeoutSeconds'],
    [
      'agent-failed',
      { status: 'error', summary: 'failed', result: { meta: { error: { message: 'bad SSE' } } } },
      'bad SSE',
    ],
    ['agent-silent', final('  '), 'without an answer'],
    [
      'agent-silent',
      { status: 'ok', result: { payloads: [{ text: 'oops', isError: true }] } },
      'without an answer',
    ],
    ['agent-failed', 'nonsense', 'unknown form'],
  ])('ends in %s on a final response of %j', async (code, payload, shown) => {
    const { open } = await start((request, socket) => respond(socket, request, payload));
    await expect(gatewayWs.send(taskCall(open))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(shown),
    });
  });

  it('tells a run that failed after it was accepted from one that was refused', async () => {
    const failed = await start((request, socket) => {
      const { id } = request;
      const error = { code: 'UNAVAILABLE', message: 'the model is away' };
      socket.send(JSON.stringify({ type: 'res', id, ok: false, payload: { status: 'error' }, error }));
    });
    await expect(gatewayWs.send(taskCall(failed.open))).rejects.toMatchObject({
      code: 'agent-failed',
      message: expect.stringContaining('the model is away'),
    });
    await failed.close();
    const refused = await start(({ id }, socket) => {
      const error = { code: 'UNAVAILABLE', message: 'agent unavailable during gateway restart' };
      socket.send(JSON.stringify({ type: 'res', id, ok: false, error }));
    });
    await expect(gatewayWs.send(taskCall(refused.open))).rejects.toMatchObject({ code: 'agent-refused' });
  });

  it('says that the agent is lost when the gateway closes in the middle', async () => {
    const { open } = await start((_request, socket) => socket.close(1012, 'service restart'));
    await expect(gatewayWs.send(taskCall(open))).rejects.toMatchObject({
      code: 'agent-lost',
      message: expect.stringContaining('1012 service restart'),
    });
  });

  it('asks the gateway to abort, and waits for that no longer than its limit', async () => {
    const reason = new Error('cancelled');
    const stop = new AbortController();
    const { open, requests } = await start(({ method }) => {
      if (method === 'agent') stop.abort(reason);
    });
    const startedAt = performance.now();
    const sent = gatewayWs.send(taskCall(open, { signal: stop.signal, limits: { abortTimeoutMs: 200 } }));
    await expect(sent).rejects.toBe(reason);
    expect(performance.now() - startedAt).toBeGreaterThan(150);
    expect(requests.at(-1)).toMatchObject({
      method: 'sessions.abort',
      params: { key: `agent:edge:${attempt}`, runId: attempt },
    });
  });

  it('takes in no message of unreasonable size', async () => {
    const { open } = await start((request, socket) =>
      respond(socket, request, final('x'.repeat(5 * 1024 * 1024))),
    );
    await expect(gatewayWs.send(taskCall(open))).rejects.toMatchObject({ code: 'agent-lost' });
  });
});
