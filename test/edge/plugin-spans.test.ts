import { describe, expect, test } from 'vitest';
import { RunSpans } from '../../edge/plugin/run-spans.ts';
import type { Span } from '../../edge/plugin/span.ts';
import {
  agentText,
  modelCall,
  runEnded,
  runSpanId,
  runStarted,
  supervisorSpanId,
  toolCall,
  toolContent,
  traceId,
} from '../support/plugin-events.ts';

function record({ content = true, lost = 0 } = {}) {
  const emitted: Span[] = [];
  const spans = new RunSpans({
    host: 'rhel-01',
    content,
    emit: (span) => emitted.push(span),
    lost: () => lost,
    clock: () => 1_000_301,
  });
  const named = (name: string) => emitted.filter((span) => span.name === name);
  return { spans, emitted, named };
}

describe('the spans of a run', () => {
  test('hang under the supervisor in its trace, whatever the gateway calls its own', () => {
    const { spans, emitted } = record();
    spans.take(runStarted());
    spans.take(modelCall());
    spans.take(toolCall());
    spans.takeToolContent(...toolContent());
    spans.take(runEnded());
    expect(emitted.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
      ['model.inference', runSpanId],
      ['tool.execution', runSpanId],
      ['agent.run', supervisorSpanId],
    ]);
    expect(emitted.at(-1)?.spanId).toBe(runSpanId);
    for (const span of emitted) {
      expect(span.traceId).toBe(traceId);
      expect(span.attributes).toMatchObject({ 'host.name': 'rhel-01', 'fleet.run': 'r-00000000aaaa' });
    }
  });

  test('leave the session of the trace to the supervisor', () => {
    const { spans, emitted } = record();
    for (const event of [runStarted(), modelCall(), toolCall(), runEnded()]) spans.take(event);
    const names = emitted.flatMap(({ attributes }) => Object.keys(attributes));
    expect(names).not.toContain('session.id');
    expect(names).not.toContain('gen_ai.conversation.id');
  });

  test('stay in the trace of the gateway where no supervisor asked', () => {
    const { spans, emitted } = record();
    const foreign = { sessionKey: 'agent:edge:main' };
    for (const event of [runStarted(foreign), modelCall(foreign), runEnded(foreign)]) spans.take(event);
    expect(emitted.map((span) => [span.traceId, span.parentSpanId])).toEqual([
      ['c'.repeat(32), runSpanId],
      ['c'.repeat(32), undefined],
    ]);
    expect(emitted[1]?.attributes).not.toHaveProperty('fleet.run');
  });

  test('are the same again when the same events come again', () => {
    const { spans, emitted } = record();
    for (let times = 0; times < 2; times += 1) {
      spans.take(runStarted());
      spans.take(modelCall());
      spans.take(toolCall());
      spans.takeToolContent(...toolContent());
      spans.take(runEnded());
    }
    expect(emitted.slice(3)).toEqual(emitted.slice(0, 3));
  });

  test('tell attempts of one run apart', () => {
    const { spans, named } = record();
    for (const digit of ['6', '7']) {
      const trace = { traceId: 'c'.repeat(32), spanId: digit.repeat(16) };
      spans.take(runStarted({ trace }));
      spans.take(runEnded());
    }
    expect(named('agent.run').map(({ spanId }) => spanId)).toEqual(['6'.repeat(16), '7'.repeat(16)]);
  });

  test('come of late events, too', () => {
    const { spans, named } = record();
    spans.take(runStarted());
    spans.take(runEnded());
    spans.take(toolCall());
    spans.takeToolContent(...toolContent());
    spans.take(modelCall());
    expect(named('tool.execution')).toMatchObject([{ traceId, parentSpanId: runSpanId }]);
    expect(named('model.inference')).toMatchObject([{ traceId, parentSpanId: runSpanId }]);
  });
});

describe('a model call', () => {
  test('tells tokens with the cached ones, the cost, and the time to the first byte', () => {
    const { spans, emitted } = record();
    spans.take(modelCall());
    expect(emitted).toMatchObject([
      {
        kind: 'client',
        startMs: 1_000_107,
        endMs: 1_000_200,
        attributes: {
          'mlflow.spanType': 'CHAT_MODEL',
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'default',
          'gen_ai.request.model': 'stub',
          'gen_ai.usage.input_tokens': 111,
          'gen_ai.usage.output_tokens': 22,
          'gen_ai.usage.cache_read.input_tokens': 10,
          'gen_ai.usage.cache_creation.input_tokens': 0,
          'mlflow.llm.cost': '{"total_cost":0.000636}',
          'fleet.time_to_first_byte_ms': 79,
        },
      },
    ]);
    expect(emitted[0]).not.toHaveProperty('error');
  });

  test('that failed says how, and nothing of tokens or cost', () => {
    const { spans, emitted } = record();
    const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cost: { total: 0 } };
    spans.take(
      modelCall({ type: 'model.call.error', errorCategory: 'Error', failureKind: 'timeout', usage }),
    );
    expect(emitted).toMatchObject([
      { error: "the model's call failed: timeout", attributes: { 'error.type': 'timeout' } },
    ]);
    const names = Object.keys(emitted[0]?.attributes ?? {});
    expect(names.filter((name) => /usage|cost/.test(name))).toEqual([]);
  });
});

describe('a tool call', () => {
  test.each(['the event first', 'the hook first'])('tells what went in and came out (%s)', (order) => {
    const { spans, emitted } = record();
    if (order === 'the event first') spans.take(toolCall());
    spans.takeToolContent(...toolContent());
    if (order === 'the hook first') spans.take(toolCall());
    expect(emitted).toMatchObject([
      {
        name: 'tool.execution',
        kind: 'internal',
        startMs: 1_000_280,
        endMs: 1_000_300,
        attributes: {
          'mlflow.spanType': 'TOOL',
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'exec',
          'gen_ai.tool.call.id': 'call_0',
          'gen_ai.tool.call.arguments': 'uname -srm',
          'gen_ai.tool.call.result': 'Linux 6.18 x86_64',
          'process.exit.code': 0,
        },
      },
    ]);
    expect(emitted[0]).not.toHaveProperty('error');
  });

  test.each([
    [
      'denied by the gateway',
      { event: { error: 'exec denied: allowlist miss' }, details: { status: 'error' } },
      { type: 'denied', message: 'exec denied: allowlist miss' },
    ],
    [
      "refused by the machine's broker",
      {
        details: { exitCode: 126 },
        text: 'refused (not-listed): id is not listed.\n\n(Command exited with code 126)',
      },
      { type: 'denied', message: 'refused (not-listed): id is not listed.' },
    ],
    [
      'blocked by a rule',
      {
        event: { error: 'CRITICAL: Called exec 20 times.\nMore.' },
        details: { status: 'blocked', exitCode: null },
      },
      { type: 'blocked', message: 'CRITICAL: Called exec 20 times.' },
    ],
    [
      'ended with an error of its own',
      { details: { exitCode: 3 } },
      { type: 'exit-code', message: 'ended with exit code 3' },
    ],
  ])('%s is a failed span that says why', (_, content, failure) => {
    const { spans, emitted } = record();
    spans.takeToolContent(...toolContent(content));
    spans.take(toolCall());
    expect(emitted).toMatchObject([{ error: failure.message, attributes: { 'error.type': failure.type } }]);
  });

  test('that was never begun is told at the end of its run: the gateway has no event for it', () => {
    const { spans, named } = record();
    spans.take(runStarted());
    spans.takeToolContent(...toolContent({ details: { status: 'blocked' } }));
    expect(named('tool.execution')).toEqual([]);
    spans.take(runEnded());
    expect(named('tool.execution')).toMatchObject([
      { parentSpanId: runSpanId, startMs: 1_000_276, endMs: 1_000_301, error: 'blocked' },
    ]);
  });

  test('that only the gateway tells of is told at the end of its run, or when the process ends', () => {
    for (const end of ['run', 'process']) {
      const { spans, named } = record();
      spans.take(toolCall({ type: 'tool.execution.blocked', deniedReason: 'policy', reason: 'no' }));
      if (end === 'run') spans.take(runEnded());
      else spans.settle();
      expect(named('tool.execution')).toMatchObject([{ error: 'policy' }]);
    }
  });
});

describe('an attempt of the agent', () => {
  test('tells its outcome, its duration and what was said', () => {
    const { spans, named } = record();
    spans.take(runStarted());
    spans.takeAgentText(agentText());
    spans.take(runEnded());
    expect(named('agent.run')).toMatchObject([
      {
        startMs: 1_000_000,
        endMs: 1_000_900,
        attributes: {
          'mlflow.spanType': 'AGENT',
          'gen_ai.operation.name': 'invoke_agent',
          'gen_ai.agent.name': 'edge',
          'fleet.outcome': 'completed',
          'fleet.duration_ms': 900,
          'mlflow.spanOutputs': 'It says: Linux',
        },
      },
    ]);
    expect(named('agent.run')[0]).not.toHaveProperty('error');
  });

  test('failed when its last model call did, although the gateway calls it complete', () => {
    const { spans, named } = record();
    spans.take(runStarted());
    spans.takeAgentText(
      agentText({ assistantTexts: [], lastAssistant: { errorMessage: '400 the model said no' } }),
    );
    spans.take(modelCall({ type: 'model.call.error', errorCategory: 'Error' }));
    spans.take(runEnded());
    expect(named('agent.run')).toMatchObject([
      { error: '400 the model said no', attributes: { 'fleet.outcome': 'error', 'error.type': 'error' } },
    ]);
  });

  test('did not fail when its model was asked again and answered', () => {
    const { spans, named } = record();
    spans.take(runStarted());
    spans.take(modelCall({ type: 'model.call.error', errorCategory: 'Error' }));
    spans.take(modelCall());
    spans.take(runEnded());
    expect(named('agent.run')[0]?.attributes).toMatchObject({ 'fleet.outcome': 'completed' });
  });

  test.each([
    [{ outcome: 'aborted' }, 'aborted'],
    [{ outcome: 'timed_out' }, 'timed_out'],
    [
      { type: 'harness.run.error', phase: 'send', errorCategory: 'TypeError', outcome: undefined },
      'TypeError',
    ],
  ])('that ended otherwise is a failed span: %o', (changes, error) => {
    const { spans, named } = record();
    spans.take(runEnded(changes));
    expect(named('agent.run')).toMatchObject([{ error }]);
  });

  test('tells how many spans were lost before it', () => {
    const { spans, named } = record({ lost: 3 });
    spans.take(runEnded());
    expect(named('agent.run')[0]?.attributes).toMatchObject({ 'fleet.lost_spans': 3 });
  });
});

test('without access to conversations no argument, result, answer or message is told, but what happened is', () => {
  const { spans, emitted } = record({ content: false });
  spans.take(runStarted());
  spans.take(toolCall());
  spans.takeToolContent(
    ...toolContent({ event: { error: 'exec denied: SAID' }, details: { exitCode: 126 }, text: 'SAID' }),
  );
  spans.takeAgentText(agentText({ assistantTexts: ['SAID'], lastAssistant: { errorMessage: 'SAID' } }));
  spans.take(runEnded({ outcome: 'aborted' }));
  expect(JSON.stringify(emitted)).not.toMatch(/SAID|uname/);
  expect(emitted).toMatchObject([
    { name: 'tool.execution', error: 'denied', attributes: { 'process.exit.code': 126 } },
    { name: 'agent.run', error: 'aborted' },
  ]);
});

test('more than any gateway has under way at a time is not kept', () => {
  const { spans, named } = record();
  for (let run = 0; run < 40; run += 1) {
    spans.take(toolCall({ runId: `run-${run}`, toolCallId: 'call_0' }));
  }
  expect(named('tool.execution').length).toBe(8);
  for (let call = 0; call < 100; call += 1) spans.take(toolCall({ toolCallId: `call_${call}` }));
  expect(named('tool.execution').length).toBe(45);
  spans.settle();
  expect(named('tool.execution').length).toBe(140);
});

test.each([
  undefined,
  null,
  7,
  'run.started',
  [],
  {},
  { type: 'run.started' },
  { ...runStarted(), trace: undefined },
  { ...runStarted(), trace: { traceId: 'x', spanId: 7 } },
  { ...runStarted(), ts: 'now' },
  { ...runStarted(), type: 'model.call.invented' },
])('what has another shape is passed over: %o', (event) => {
  const { spans, emitted } = record();
  spans.take(event);
  spans.takeToolContent(event, event);
  spans.takeAgentText(event);
  spans.settle();
  expect(emitted).toEqual([]);
});

test('fields of another shape do not keep an event from being told', () => {
  const { spans, emitted } = record();
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  spans.take(modelCall({ usage: 'many', durationMs: -1, provider: 7, timeToFirstByteMs: Number.NaN }));
  spans.take(toolCall({ toolName: null }));
  spans.takeToolContent(...toolContent({ event: { params: circular, result: 12n, durationMs: 'long' } }));
  spans.takeAgentText(agentText({ assistantTexts: [1, null], lastAssistant: 'no' }));
  expect(emitted).toMatchObject([
    { attributes: { 'gen_ai.provider.name': 'unknown' }, startMs: 1_000_200 },
    { attributes: { 'gen_ai.tool.call.arguments': '(cannot be shown)' } },
  ]);
});
