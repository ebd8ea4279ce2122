import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { transports } from '../../../src/edge-client/transports/index.ts';
import { transportNames } from '../../../src/fleet/machine.ts';
import { type OpenClaw, startOpenClaw } from '../../support/openclaw.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { allowedCommand, deniedCommand, type Mode } from '../../support/scripts.ts';
import { type StubModel, startStubModel } from '../../support/stub-model.ts';
import { taskCall } from '../../support/task-call.ts';

const otlpToken = 'the-token-of-the-collector';
const arrivalTimeoutMs = 20_000;

let model: StubModel;
let collector: OtlpReceiver;
let openClaw: OpenClaw;

beforeAll(async () => {
  model = await startStubModel();
  collector = await startOtlpReceiver();
  openClaw = await startOpenClaw(model.url, {
    env: { FLEETBOT_OTLP_TOKEN: otlpToken },
    plugins: {
      load: { paths: [resolve('edge/plugin')] },
      allow: ['fleetbot'],
      entries: {
        fleetbot: {
          enabled: true,
          hooks: { allowConversationAccess: true },
          config: { host: 'test-01', endpoint: `${collector.url}/v1/traces` },
        },
      },
    },
  });
});

afterAll(async () => {
  await openClaw?.close();
  await collector?.close();
  await model?.close();
});

/** Gives the agent a task, as a supervisor does. Returns where its spans belong. */
async function task(transport: (typeof transportNames)[number], mode: Mode) {
  const ids = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  const runId = `r-${randomBytes(6).toString('hex')}`;
  const traceparent = `00-${ids.traceId}-${ids.spanId}-01`;
  const call = taskCall(openClaw.open, { task: { runId, traceparent, message: `Look. MODE:${mode}` } });
  const answer = transports[transport].send({ ...call, token: openClaw.token });
  return { ...ids, runId, answer: await answer.catch((error: unknown) => error) };
}

/** The spans of a trace, once the one that comes last is there. */
async function spansOf(traceId: string) {
  const spans = await vi.waitFor(
    () => {
      const found = collector.spans.filter((span) => span.traceId === traceId);
      expect(found.map(({ name }) => name)).toContain('agent.run');
      return found;
    },
    { timeout: arrivalTimeoutMs, interval: 50 },
  );
  const named = (name: string) => spans.filter((span) => span.name === name);
  const [run] = named('agent.run');
  if (run === undefined) throw new Error('no span of the run');
  return { run, models: named('model.inference'), tools: named('tool.execution'), spans };
}

describe.each(transportNames)('the agent, asked over %s, tells the collector', (transport) => {
  test('its run, its calls of the model and its tools, in the trace and under the span of its supervisor', async () => {
    const { traceId, spanId, runId } = await task(transport, 'tool');
    const { run, models, tools, spans } = await spansOf(traceId);

    expect(run).toMatchObject({ parentSpanId: spanId, kind: 1, status: { code: 0 } });
    expect(run.attributes).toMatchObject({
      'mlflow.spanType': 'AGENT',
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'edge',
      'fleet.outcome': 'completed',
      'mlflow.spanOutputs': expect.stringMatching(/^It says: Linux /),
    });
    expect(models).toHaveLength(2);
    for (const span of models) {
      expect(span).toMatchObject({ parentSpanId: run.spanId, kind: 3, status: { code: 0 } });
      expect(span.attributes).toMatchObject({
        'mlflow.spanType': 'CHAT_MODEL',
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'default',
        'gen_ai.request.model': 'stub',
        'gen_ai.usage.input_tokens': 111,
        'gen_ai.usage.output_tokens': 22,
        'mlflow.llm.cost': JSON.stringify({ total_cost: 0.000663 }),
        'fleet.time_to_first_byte_ms': expect.any(Number),
      });
    }
    expect(tools).toHaveLength(1);
    expect(tools[0]).toMatchObject({ parentSpanId: run.spanId, kind: 1, status: { code: 0 } });
    expect(tools[0]?.attributes).toMatchObject({
      'mlflow.spanType': 'TOOL',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'exec',
      'gen_ai.tool.call.id': 'call_0',
      'gen_ai.tool.call.arguments': allowedCommand,
      'gen_ai.tool.call.result': expect.stringMatching(/^Linux /),
      'process.exit.code': 0,
    });
    for (const { attributes, startMs, endMs } of spans) {
      expect(attributes).toMatchObject({ 'host.name': 'test-01', 'fleet.run': runId });
      expect(attributes).not.toHaveProperty('session.id');
      expect(within(run, startMs, endMs)).toBe(true);
    }
  });

  test('what it was denied, and why', async () => {
    const { traceId } = await task(transport, 'denied');
    const { tools } = await spansOf(traceId);
    expect(tools).toHaveLength(1);
    expect(tools[0]).toMatchObject({
      attributes: { 'gen_ai.tool.call.arguments': deniedCommand, 'error.type': 'denied' },
      status: { code: 2, message: 'exec denied: allowlist miss' },
    });
  });

  test('that its model failed', async () => {
    const { traceId } = await task(transport, 'fail');
    const { run, models } = await spansOf(traceId);
    expect(models.map(({ status }) => status.code)).toEqual([2]);
    expect(models[0]?.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
    expect(run.status).toEqual({ code: 2, message: '400 the model said no' });
  });

  test('no secret', async () => {
    const { traceId } = await task(transport, 'leak');
    const { tools } = await spansOf(traceId);
    expect(tools[0]?.attributes['gen_ai.tool.call.arguments']).toBe('id --password=[redacted:password]');
    expect(collector.requests.some(({ body }) => body.includes('not-for-telemetry'))).toBe(false);
  });
});

test('calls that a rule against loops blocks are seen, with the reason', async () => {
  const { traceId } = await task('gateway-ws', 'loop');
  const { tools } = await spansOf(traceId);
  const blocked = tools.filter(({ attributes }) => attributes['error.type'] === 'blocked');
  expect(blocked.length).toBeGreaterThan(0);
  expect(blocked[0]?.status.message).toContain('identical');
  expect(new Set(tools.map(({ spanId }) => spanId)).size).toBe(tools.length);
});

test('the collector knows the sender', () => {
  const tokens = new Set(collector.requests.map(({ headers }) => headers.authorization));
  expect([...tokens]).toEqual([`Bearer ${otlpToken}`]);
});

test('what the collector could not take comes later; a run does not wait for it', async () => {
  collector.answer = { status: 503 };
  const before = collector.requests.length;
  const { traceId, answer } = await task('gateway-ws', 'text');
  expect(answer).toMatchObject({ text: 'Hello from the agent.' });
  await expect.poll(() => collector.requests.length).toBeGreaterThan(before);
  collector.answer = { status: 200 };
  const { models } = await spansOf(traceId);
  expect(models).toHaveLength(1);
});

test('what waits when the agent is stopped still arrives', async () => {
  const { traceId } = await task('gateway-ws', 'tool');
  await openClaw.close();
  const { models, tools } = await spansOf(traceId);
  expect([models.length, tools.length]).toEqual([2, 1]);
});

/** A run's last call may end a moment before or after the gateway calls the run over. */
function within(run: ReceivedSpan, startMs: number, endMs: number): boolean {
  const slackMs = 50;
  return startMs >= run.startMs - slackMs && endMs <= run.endMs + slackMs;
}
