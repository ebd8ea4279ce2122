import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LinkTo } from '../../src/bot/ports.ts';
import { questionDigest, type Vote } from '../../src/fleet/approval.ts';
import { MachineError } from '../../src/fleet/errors.ts';
import type { CommandOutput } from '../../src/fleet/evidence.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Tracer } from '../../src/supervisors/ports.ts';
import { createTelemetry, type TelemetryOptions } from '../../src/telemetry/create-telemetry.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { escalatingRun } from '../support/sample-hand-over.ts';
import { sampleApproval, sampleQuestion } from '../support/sample-question.ts';

/** What is printed to the console. OpenTelemetry keeps the console's methods of the moment it is imported. */
const printed = vi.hoisted(() => {
  const lines: unknown[][] = [];
  for (const method of ['error', 'warn', 'info', 'debug', 'trace'] as const) {
    console[method] = (...args) => lines.push(args);
  }
  return lines;
});

const acceptedAt = Date.UTC(2026, 10, 22, 12);
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const rootSpanId = '00f067aa0ba902b7';
const secret = 'hunter2hunter2';
const usage = { inputTokens: 1200, outputTokens: 80, cacheReadTokens: 1000, cacheWriteTokens: 50 };
/** With the noise that sums of parts have. */
const cost = { inputUsd: 0.2500000000000001, outputUsd: 0.5, totalUsd: 0.7500000000000001 };

const output: CommandOutput = {
  argv: ['df', '-P', '--password', secret],
  exitCode: 0,
  stdout: `/dev/vda1 85% /\npassword=${secret}\n`,
  stderr: '',
  truncated: false,
  durationMs: 300,
};
const toolCall = {
  id: 'call-1',
  tool: 'exec',
  input: `curl -u bob:${secret} x`,
  output: `token: ${secret}`,
  failed: true,
  startedAt: acceptedAt + 3_000,
  endedAt: acceptedAt + 3_500,
};

function doneRun(changes: Partial<Run> = {}): Run {
  return {
    id: 'r-mb1x2y3z0a1b',
    request: {
      eventId: 'e1',
      machine: 'rhel-01',
      task: { kind: 'check', check: 'disk' },
      requester: { kind: 'person', userId: 'U123', teamId: 'T1' },
      origin: { channel: 'C0123ABCD', threadTs: '1.2' },
      acceptedAt,
    },
    state: 'done',
    trace: { traceId, rootSpanId },
    timeline: [
      { state: 'queued', at: acceptedAt },
      { state: 'gathering', at: acceptedAt + 1_000 },
      { state: 'done', at: acceptedAt + 5_000 },
    ],
    evidence: { check: 'disk', collectedAt: '2026-11-22T12:00:01Z', outputs: [output] },
    findings: [{ severity: 'warning', subject: '/', text: `/ is 85 % full, password=${secret}`, output: 0 }],
    verdict: 'warning',
    inertness: 'inactive',
    diagnosis: {
      activations: 1,
      comment: `Logs fill it; the password: ${secret}`,
      toolCalls: [toolCall],
      usage,
      model: 'default/small',
      contradictions: [],
    },
    ...changes,
  };
}

function voteOf(run: Run, kind: 'approve' | 'deny', reason?: string): Vote {
  const question = sampleQuestion(run);
  return {
    decision: {
      ...{ approval: question.id, question: questionDigest(question), kind, groups: ['S0OPS'] },
      by: { kind: 'person', userId: 'U0BOB', teamId: 'T1' },
      ...(reason !== undefined && { reason }),
      ...{ at: acceptedAt + 5_000, eventId: 'e2' },
    },
    signature: 'signed',
  };
}

/** A run that changed something, which did not go well. */
function actedRun(): Run {
  const run = doneRun();
  const why = `/var is 93% full, password=${secret}`;
  return {
    ...run,
    timeline: [...run.timeline.slice(0, 2), { state: 'done', at: acceptedAt + 8_000 }],
    approval: {
      ...sampleApproval(run, { askedAt: acceptedAt + 2_000, why }),
      ...{ state: 'approved', votes: [voteOf(run, 'approve')], settledAt: acceptedAt + 5_000 },
    },
    action: {
      ...{ begunAt: acceptedAt + 6_000, endedAt: acceptedAt + 7_000, outcome: 'failed', effect: 'unchanged' },
      ...{ detail: 'Exit code 3.', exitCode: 3, stdout: `token=${secret}`, stderr: '' },
    },
  };
}

const noSpans = {
  ...{ exportedSpans: 0, waitingSpans: 0, oldestWaitingMs: 0, refusedSpans: 0, lostSpans: 0 },
};

let receiver: OtlpReceiver;
let now: number;
let logged: { msg: string; level: number; lostSpans?: number; refusedSpans?: number }[];
const open: { shutdown(): Promise<void> }[] = [];

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  now = acceptedAt + 1_000;
  logged = [];
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((telemetry) => telemetry.shutdown()));
  await receiver.close();
});

async function start(changes: Partial<TelemetryOptions> = {}) {
  const lines = logged;
  const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) });
  const telemetry = await createTelemetry({
    mlflow: {
      trackingUri: `${receiver.url}/`,
      publicUrl: 'https://mlflow.example/base/',
      experimentId: '7',
      credentials: { kind: 'basic', username: 'bob', password: secret },
    },
    log,
    clock: () => now,
    timings: { batchDelayMs: 10, exportTimeoutMs: 2_000, shutdownTimeoutMs: 600 },
    ...changes,
  });
  open.push(telemetry);
  // What the supervisors and the bot need is what they get.
  const tracer: Tracer = telemetry.tracer;
  const linkTo: LinkTo = telemetry.linkTo;
  return { ...telemetry, tracer, linkTo };
}

/** A whole run: evidence, the agent's task, a stop that fails, the end. */
function record(tracer: Tracer, run = doneRun()): { evidence: string; task: string } {
  const atWork: Run = { ...run, state: 'gathering', timeline: run.timeline.slice(0, 2) };
  const evidence = tracer.step(atWork, 'evidence', { check: 'disk' });
  now += 1_000;
  tracer.hostWork(atWork, evidence, [output, { ...output, exitCode: null, durationMs: 200 }]);
  const { findings } = run;
  const expected = { warnUsedPercent: 80, note: `password=${secret}` };
  tracer.judged(atWork, evidence, { check: 'disk', expected, measurement: { findings, verdict: 'warning' } });
  evidence.set({ note: `password=${secret}` });
  evidence.end();
  const task = tracer.step(atWork, 'agent.task', { input: `Look into it. password=${secret}` });
  now += 2_000;
  const answer = { text: `Full. token=${secret}`, toolCalls: [toolCall], usage, model: 'default/small' };
  tracer.agentWork(atWork, task, answer, cost);
  task.set({ output: answer.text });
  task.end();
  const stop = tracer.step(atWork, 'agent.stop');
  now += 1_000;
  stop.end(new MachineError('timeout', `No answer; password=${secret}`));
  tracer.finish(run);
  return { evidence: evidence.traceparent, task: task.traceparent };
}

const named = (name: string): ReceivedSpan[] => receiver.spans.filter((span) => span.name === name);
const one = (name: string): ReceivedSpan => {
  const [span, ...others] = named(name);
  if (!span || others.length > 0) throw new Error(`${others.length + 1} spans ${name}`);
  return span;
};

describe('the trace of a run', () => {
  it('goes to the experiment with the credentials that MLflow wants', async () => {
    const telemetry = await start();
    record(telemetry.tracer);
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(1), { timeout: 10_000 });
    const [request] = receiver.requests;
    expect(request?.path).toBe('/v1/traces');
    expect(request?.headers).toMatchObject({
      'x-mlflow-experiment-id': '7',
      authorization: `Basic ${btoa(`bob:${secret}`)}`,
      'content-type': 'application/x-protobuf',
    });
    await telemetry.flush();
    expect(telemetry.counts()).toEqual({ ...noSpans, exportedSpans: receiver.spans.length });
  });

  it('of another machine’s supervisor is linked to the trace of the run that found something', async () => {
    const telemetry = await start();
    const trace = { traceId: 'c'.repeat(32), rootSpanId: 'd'.repeat(16) };
    const requester = { kind: 'supervisor', machine: 'rhel-02', run: 'r-first', hops: 1, trace } as const;
    const run = doneRun();
    telemetry.tracer.finish({ ...run, request: { ...run.request, requester } });
    await telemetry.flush();
    const root = one('message.processed');
    expect(root.links).toEqual([{ traceId: trace.traceId, spanId: trace.rootSpanId }]);
    expect(root.attributes).toMatchObject({
      'fleet.asked_by_machine': 'rhel-02',
      'fleet.asked_by_run': 'r-first',
      'mlflow.traceTag.fleet.asked_by_run': 'r-first',
    });
  });

  it('of one of an incident belongs to the session of the incident', async () => {
    const telemetry = await start();
    const run = doneRun();
    const origin = { channel: 'C0123ABCD', under: 'i-000000000001' };
    telemetry.tracer.finish({ ...run, request: { ...run.request, origin } });
    await telemetry.flush();
    expect(one('message.processed').attributes).toMatchObject({ 'session.id': 'i-000000000001' });
  });

  it('ends with its root, which has the ids and times of the run', async () => {
    const telemetry = await start();
    record(telemetry.tracer);
    await telemetry.flush();
    const root = receiver.spans.at(-1);
    expect(root).toMatchObject({
      name: 'message.processed',
      traceId,
      spanId: rootSpanId,
      parentSpanId: '',
      kind: 5,
      startMs: acceptedAt,
      endMs: acceptedAt + 5_000,
      status: { code: 0 },
    });
    expect(root?.attributes).toMatchObject({
      'mlflow.spanType': 'AGENT',
      'mlflow.spanInputs': 'check disk on rhel-01',
      'gen_ai.operation.name': 'invoke_agent',
      'session.id': 'C0123ABCD:1.2',
      'user.id': 'U123',
      'mlflow.traceTag.fleet.host': 'rhel-01',
      'mlflow.traceTag.fleet.machine': 'rhel-01',
      'mlflow.traceTag.fleet.verdict': 'warning',
      'mlflow.traceTag.fleet.check': 'disk',
      'mlflow.traceTag.fleet.run': 'r-mb1x2y3z0a1b',
      'mlflow.traceTag.fleet.channel': 'C0123ABCD',
    });
    expect(root?.attributes['mlflow.spanOutputs']).toMatch(/^warning\n\n- warning: \/ is 85 % full/);
  });

  it('shows the waiting, every step, every command and every tool call under their parents', async () => {
    const telemetry = await start();
    const { evidence, task } = record(telemetry.tracer);
    await telemetry.flush();
    expect(receiver.spans.map((span) => span.traceId)).toEqual(receiver.spans.map(() => traceId));
    for (const name of ['message.queued', 'evidence', 'agent.task', 'agent.stop', 'run.completed']) {
      expect(one(name)).toMatchObject({
        parentSpanId: rootSpanId,
        kind: 1,
        attributes: { 'mlflow.spanType': 'TASK' },
      });
    }
    expect(one('message.queued')).toMatchObject({ startMs: acceptedAt, endMs: acceptedAt + 1_000 });
    expect(one('evidence')).toMatchObject({ startMs: acceptedAt + 1_000, endMs: acceptedAt + 2_000 });
    expect(evidence).toBe(`00-${traceId}-${one('evidence').spanId}-01`);
    expect(task).toBe(`00-${traceId}-${one('agent.task').spanId}-01`);

    const [command, killed, call] = named('tool.execution');
    expect(command).toMatchObject({
      parentSpanId: one('evidence').spanId,
      startMs: acceptedAt + 1_500,
      endMs: acceptedAt + 1_800,
      attributes: {
        'mlflow.spanType': 'TOOL',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'df',
        'mlflow.spanOutputs': '```\n/dev/vda1 85% /\npassword=[redacted:password]\n```',
        'process.exit.code': 0,
        'host.name': 'rhel-01',
      },
    });
    expect(killed).toMatchObject({
      startMs: acceptedAt + 1_800,
      endMs: acceptedAt + 2_000,
      status: { code: 2 },
    });
    expect(call).toMatchObject({
      parentSpanId: one('agent.task').spanId,
      startMs: toolCall.startedAt,
      endMs: toolCall.endedAt,
      status: { code: 2 },
      attributes: { 'gen_ai.tool.call.id': 'call-1', 'gen_ai.tool.name': 'exec' },
    });
    expect(one('model.inference')).toMatchObject({
      parentSpanId: one('agent.task').spanId,
      kind: 3,
      startMs: acceptedAt + 2_000,
      endMs: acceptedAt + 4_000,
      attributes: {
        'mlflow.spanType': 'CHAT_MODEL',
        'gen_ai.request.model': 'default/small',
        'gen_ai.usage.input_tokens': 1200,
        'gen_ai.usage.output_tokens': 80,
        'gen_ai.usage.cache_read.input_tokens': 1000,
        'gen_ai.usage.cache_creation.input_tokens': 50,
        'mlflow.llm.cost': '{"input_cost":0.25,"output_cost":0.5,"total_cost":0.75}',
      },
    });
    expect(one('agent.task').attributes).toMatchObject({
      'mlflow.spanInputs': '```\nLook into it. password=[redacted:password]\n```',
      'mlflow.spanOutputs': 'Full. token=[redacted:token]',
    });
    expect(one('judgement')).toMatchObject({
      parentSpanId: one('evidence').spanId,
      startMs: acceptedAt + 2_000,
      endMs: acceptedAt + 2_000,
      attributes: {
        'mlflow.spanInputs':
          '{"check":"disk","expected":{"warnUsedPercent":80,"note":"password=[redacted:password]"}}',
        'mlflow.spanOutputs': 'warning\n\n- warning: / is 85 % full, password=[redacted:password]',
        'fleet.verdict': 'warning',
      },
    });
    expect(one('agent.stop')).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'timeout' } });
    expect(one('run.completed').attributes).toMatchObject({
      'fleet.outcome': 'warning',
      'fleet.duration_ms': 5_000,
      'fleet.tool_calls': 1,
      'fleet.input_tokens': 1200,
    });
  });

  it('counts tokens on the model span alone', async () => {
    const telemetry = await start();
    record(telemetry.tracer);
    await telemetry.flush();
    const counted = receiver.spans.filter((span) => 'gen_ai.usage.input_tokens' in span.attributes);
    expect(counted.map((span) => span.name)).toEqual(['model.inference']);
  });

  it('holds no secret, wherever it was planted', async () => {
    const telemetry = await start();
    record(telemetry.tracer, doneRun({ failure: { code: 'timeout', message: `password=${secret}` } }));
    await telemetry.flush();
    expect(receiver.spans.length).toBeGreaterThan(8);
    const wire = Buffer.concat(receiver.requests.map((request) => request.body)).toString();
    expect(wire).not.toContain(secret);
    expect(wire).toContain('[redacted:password]');
  });

  it.each([
    ['that MLflow could not read as JSON, as text', '['.repeat(1_000), /^\(text\) \[{1000}$/],
    ['that is long as far as a browser shows it', 'x'.repeat(40_000), /^x{32000}… \(8000 more characters\)$/],
  ])('shows output %s', async (_what, stdout, shown) => {
    const telemetry = await start();
    const atWork: Run = { ...doneRun(), state: 'gathering' };
    const step = telemetry.tracer.step(atWork, 'evidence');
    telemetry.tracer.hostWork(atWork, step, [{ ...output, stdout }]);
    step.end();
    await telemetry.flush();
    expect(one('tool.execution').attributes['gen_ai.tool.call.result']).toMatch(shown);
  });

  it('is an error when the run could not do what was asked', async () => {
    const telemetry = await start();
    telemetry.tracer.finish(
      doneRun({ verdict: 'failed', failure: { code: 'unreachable', message: 'No route.' } }),
    );
    await telemetry.flush();
    expect(one('message.processed')).toMatchObject({
      status: { code: 2, message: 'No route.' },
      attributes: { 'error.type': 'unreachable', 'mlflow.traceTag.fleet.failure': 'unreachable' },
    });
  });

  it('of a run that was cancelled in the queue shows waiting to the end', async () => {
    const telemetry = await start();
    now = acceptedAt + 9_000;
    const timeline = [
      { state: 'queued' as const, at: acceptedAt },
      { state: 'done' as const, at: acceptedAt + 8_000 },
    ];
    telemetry.tracer.finish(doneRun({ verdict: 'cancelled', timeline }));
    await telemetry.flush();
    expect(one('message.queued').endMs).toBe(acceptedAt + 8_000);
  });

  it('whose verdict is of after an action tells the findings of then, and those of before as such', async () => {
    const telemetry = await start();
    const run = actedRun();
    const finding = (severity: 'ok' | 'critical', text: string) => ({
      ...{ severity, text, subject: '/var', output: 0 },
    });
    const before = { findings: [finding('critical', '/var is 94 % full')], verdict: 'critical' as const };
    const after = { findings: [finding('ok', '/var is 60 % full')], verdict: 'ok' as const };
    if (run.action === undefined) throw new Error('did not act');
    telemetry.tracer.finish({ ...run, verdict: 'ok', action: { ...run.action, before, after } });
    await telemetry.flush();
    expect(one('message.processed').attributes['mlflow.spanOutputs']).toMatch(
      /^ok\n\n- ok: \/var is 60 % full\n\nvacuum-journal: failed.*\n\nBefore:\n- critical: \/var is 94 % full/,
    );
  });

  it('shows what people were asked and what was changed, under the ids that the machine was given', async () => {
    const telemetry = await start();
    const run = actedRun();
    const [, , actionSpanId] = telemetry.tracer.actionTraceparent(run).split('-');
    // By whichever process: all of it is in the record.
    now = acceptedAt + 9_000;
    telemetry.tracer.finish(run);
    await telemetry.flush();
    const { subject } = sampleQuestion(run);
    const digest = subject.kind === 'action' ? subject.digest : '';
    expect(one('approval')).toMatchObject({
      ...{
        parentSpanId: rootSpanId,
        startMs: acceptedAt + 2_000,
        endMs: acceptedAt + 5_000,
        status: { code: 0 },
      },
      attributes: {
        'mlflow.spanInputs':
          'vacuum-journal size=200M on rhel-01: /var is 93% full, password=[redacted:password]',
        'mlflow.spanOutputs': 'approved',
        'fleet.approval': 'a-mb1x2y3z0a1b',
        'fleet.state': 'approved',
        'fleet.risk': 'reversible',
        'fleet.proposed_by': 'rule',
        'fleet.requested_by': 'U123',
        'fleet.approved_by': 'U0BOB',
        'fleet.denied_by': '',
        'fleet.rounds': 1,
        'fleet.digest': digest,
      },
    });
    expect(one('approval.vote')).toMatchObject({
      ...{ parentSpanId: one('approval').spanId, startMs: acceptedAt + 5_000 },
      attributes: { 'fleet.person': 'U0BOB', 'fleet.decision': 'approve' },
    });
    expect(one('action')).toMatchObject({
      ...{ spanId: actionSpanId, parentSpanId: rootSpanId },
      ...{
        startMs: acceptedAt + 6_000,
        endMs: acceptedAt + 7_000,
        status: { code: 2, message: 'Exit code 3.' },
      },
      attributes: {
        'mlflow.spanType': 'TOOL',
        'gen_ai.tool.name': 'vacuum-journal',
        'gen_ai.tool.call.arguments': 'journalctl --vacuum-size=200M',
        'gen_ai.tool.call.result': 'token=[redacted:token]',
        'process.exit.code': 3,
        'fleet.outcome': 'failed',
        'fleet.effect': 'unchanged',
        'fleet.approved_by': 'U0BOB',
        'fleet.digest': digest,
      },
    });
    expect(one('message.processed').attributes).toMatchObject({
      'mlflow.traceTag.fleet.action': 'vacuum-journal',
      'mlflow.traceTag.fleet.approval': 'approved',
      'mlflow.traceTag.fleet.outcome': 'failed',
      'mlflow.traceTag.fleet.effect': 'unchanged',
    });
    expect(receiver.spans.at(-1)?.name).toBe('message.processed');
  });

  it('of an escalation shows who is on call', async () => {
    const telemetry = await start();
    telemetry.tracer.finish(escalatingRun('r-mb1x2y3z0a1b', ['U0EVA', 'pager:primary']));
    await telemetry.flush();
    expect(one('approval').attributes).toMatchObject({ 'fleet.on_call': 'U0EVA pager:primary' });
  });

  it('of something that people denied shows who and why, and no action', async () => {
    const telemetry = await start();
    const run = actedRun();
    const approval = sampleApproval(run, { askedAt: acceptedAt });
    const votes = [voteOf(run, 'deny', 'Not during the day.')];
    const { action: _action, ...denied } = {
      ...run,
      approval: { ...approval, state: 'denied' as const, votes },
    };
    telemetry.tracer.finish(denied);
    await telemetry.flush();
    expect(one('approval').attributes).toMatchObject({
      ...{
        'mlflow.spanOutputs': 'denied: Not during the day.',
        'fleet.denied_by': 'U0BOB',
        'fleet.approved_by': '',
      },
    });
    expect(named('action')).toEqual([]);
  });

  it('is linked with both parameters of MLflow', async () => {
    const telemetry = await start();
    expect(telemetry.linkTo(doneRun())).toEqual({
      url: `https://mlflow.example/base/#/experiments/7/traces?selectedEvaluationId=tr-${traceId}&traceId=tr-${traceId}&startTimeLabel=ALL`,
    });
  });
});

describe('when MLflow is not configured', () => {
  it('nothing is sent, links say why, and traceparents tell the machine to record nothing', async () => {
    const telemetry = await start({ mlflow: undefined });
    const { task } = record(telemetry.tracer);
    await telemetry.shutdown();
    expect(receiver.requests).toEqual([]);
    expect(task).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(telemetry.linkTo(doneRun())).toEqual({ missing: 'MLflow is not configured' });
    expect(telemetry.assessor).toBeUndefined();
    expect(logged.map((line) => line.msg)).toEqual([expect.stringContaining('set MLFLOW_TRACKING_URI')]);
  });
});

describe("whatever OpenTelemetry's variables say", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('the trace arrives whole, and nothing is printed', async () => {
    const elsewhere = 'http://127.0.0.1:1';
    const variables = {
      OTEL_LOG_LEVEL: 'info',
      OTEL_SPAN_EVENT_COUNT_LIMIT: 'nonsense',
      OTEL_EXPORTER_OTLP_ENDPOINT: elsewhere,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: elsewhere,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-mlflow-experiment-id=99',
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_METRICS_EXPORTER: 'console',
      OTEL_LOGS_EXPORTER: 'console',
      OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_PROPAGATORS: 'nonsense',
      OTEL_NODE_RESOURCE_DETECTORS: 'all',
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '1',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '2',
      OTEL_BSP_MAX_QUEUE_SIZE: '1',
    };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const telemetry = await start();
    record(telemetry.tracer);
    await telemetry.flush();
    expect(receiver.requests[0]?.headers).toMatchObject({ 'x-mlflow-experiment-id': '7' });
    expect(receiver.spans).toHaveLength(11);
    expect(receiver.spans.at(-1)?.attributes).toMatchObject({
      'mlflow.spanInputs': 'check disk on rhel-01',
      'mlflow.traceTag.fleet.machine': 'rhel-01',
    });
    expect(printed).toEqual([]);
  });

  it('OTEL_SDK_DISABLED switches traces off, and links say so', async () => {
    vi.stubEnv('OTEL_SDK_DISABLED', 'true');
    const telemetry = await start();
    record(telemetry.tracer);
    await telemetry.shutdown();
    expect(receiver.requests).toEqual([]);
    expect(telemetry.linkTo(doneRun())).toEqual({ missing: 'OpenTelemetry is switched off' });
    expect(telemetry.assessor).toBeUndefined();
    expect(logged.map((line) => line.msg)).toEqual([expect.stringContaining('unset OTEL_SDK_DISABLED')]);
  });
});

it('a telemetry that follows another one records for itself', async () => {
  const first = await start();
  first.tracer.finish(doneRun());
  await first.shutdown();
  expect(receiver.spans).toHaveLength(3);
  const second = await start();
  second.tracer.finish(doneRun());
  await second.flush();
  expect(receiver.spans).toHaveLength(6);
  expect(second.counts().exportedSpans).toBe(3);
});

describe('when MLflow takes no spans', () => {
  it.each([
    [401, 'MLFLOW_TRACKING_USERNAME'],
    [403, 'EDIT permission on experiment 7'],
    [404, 'no experiment 7'],
    [500, 'answered 500'],
  ])(
    'with %i, they wait, the cure is logged once, and they are sent when it takes them',
    async (status, cure) => {
      receiver.answer = { status };
      const telemetry = await start();
      for (let round = 1; round <= 3; round += 1) {
        telemetry.tracer.finish(doneRun());
        await telemetry.flush();
        expect(telemetry.counts()).toEqual({ ...noSpans, waitingSpans: 3 * round });
      }
      expect(logged.map((line) => line.msg)).toEqual([expect.stringContaining(cure)]);

      receiver.answer = { status: 200 };
      telemetry.tracer.finish(doneRun());
      await telemetry.flush();
      expect(telemetry.counts()).toEqual({ ...noSpans, exportedSpans: 12 });
      expect(receiver.spans.map(({ name }) => name).slice(0, 3)).toEqual([
        ...['message.queued', 'run.completed', 'message.processed'],
      ]);
      expect(logged.slice(1)).toMatchObject([{ msg: expect.stringContaining('MLflow answers again') }]);
    },
  );

  it.each([
    [422, '{"detail":"Failed to log OpenTelemetry spans"}', 'its database fails'],
    [400, '{"error_code":"INVALID_PARAMETER_VALUE","message":"no"}', 'MLFLOW_EXPERIMENT_ID is right'],
  ])('because of something that it tells like a wrong span (%i), they wait', async (status, body, cure) => {
    receiver.answer = { status, body };
    const telemetry = await start();
    telemetry.tracer.finish(doneRun());
    await telemetry.flush();
    expect(telemetry.counts()).toMatchObject({ waitingSpans: 3, refusedSpans: 0 });
    receiver.answer = { status: 200 };
    await telemetry.flush();
    receiver.answer = { status, body };
    telemetry.tracer.finish(doneRun());
    await telemetry.flush();
    expect(telemetry.counts()).toMatchObject({ exportedSpans: 3, waitingSpans: 3, refusedSpans: 0 });
    expect(logged[0]?.msg).toContain(cure);
  });

  it('because one of them is wrong, the others are sent', async () => {
    receiver.refuses = ({ name }) => name === 'run.completed';
    const telemetry = await start();
    for (let run = 0; run < 3; run += 1) telemetry.tracer.finish(doneRun());
    await telemetry.flush();
    expect(telemetry.counts()).toEqual({ ...noSpans, exportedSpans: 6, refusedSpans: 3 });
    expect(named('run.completed')).toEqual([]);
    expect(logged).toMatchObject([
      { msg: expect.stringContaining('MLflow refuses a span'), refusedSpans: 1 },
    ]);
  });

  it('no run waits for it, and a shutdown only as long as it may', async () => {
    receiver.answer = 'silent';
    const telemetry = await start();
    const from = performance.now();
    for (let n = 0; n < 50; n += 1) record(telemetry.tracer);
    const recordedMs = performance.now() - from;
    await telemetry.shutdown();
    expect(recordedMs).toBeLessThan(5_000);
    expect(performance.now() - from - recordedMs).toBeLessThan(5_000);
    expect(receiver.spans).toEqual([]);
    expect(logged.length).toBeGreaterThan(0);
  });

  it('says where it looked for it when nothing listens there', async () => {
    await receiver.close();
    const telemetry = await start();
    record(telemetry.tracer);
    await telemetry.flush();
    expect(logged[0]?.msg).toContain(receiver.url);
    expect(telemetry.counts().waitingSpans).toBeGreaterThan(0);
    receiver = await startOtlpReceiver();
  });
});
