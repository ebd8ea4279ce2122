/** Events and hooks as openclaw@2026.9.6 sent them, over HTTP, for a run with one tool call. */
export const traceId = 'a'.repeat(32);
export const supervisorSpanId = 'b'.repeat(16);
export const runSpanId = '1'.repeat(16);

/** The gateway's own trace, which is another one than the supervisor's over HTTP. */
const gatewayTraceId = 'c'.repeat(32);

const session = {
  runId: 'chatcmpl_1',
  sessionKey: `agent:edge:r-00000000aaaa-tp-${traceId}-${supervisorSpanId}`,
  sessionId: '9d69d574-7798-4b20-8c55-5ed7101873e3',
};
const underRun = (spanId: string) => ({
  traceId: gatewayTraceId,
  spanId,
  parentSpanId: runSpanId,
  traceFlags: '01',
});
const ofModel = { provider: 'default', model: 'stub', callId: 'chatcmpl_1:model:1' };
const ofTool = { toolName: 'exec', toolCallId: 'call_0', toolSource: 'core' };

export const runStarted = (changes: object = {}) => ({
  type: 'run.started',
  ...session,
  provider: 'default',
  model: 'stub',
  trace: { traceId: gatewayTraceId, spanId: runSpanId, parentSpanId: '2'.repeat(16) },
  seq: 1,
  ts: 1_000_000,
  ...changes,
});

export const runEnded = (changes: object = {}) => ({
  type: 'harness.run.completed',
  ...session,
  provider: 'default',
  model: 'stub',
  harnessId: 'openclaw',
  durationMs: 900,
  outcome: 'completed',
  trace: { traceId: gatewayTraceId, spanId: '2'.repeat(16), parentSpanId: '3'.repeat(16) },
  seq: 9,
  ts: 1_000_900,
  ...changes,
});

export const modelCall = (changes: object = {}) => ({
  type: 'model.call.completed',
  ...session,
  ...ofModel,
  durationMs: 93,
  timeToFirstByteMs: 79,
  usage: {
    input: 101,
    output: 22,
    cacheRead: 10,
    cacheWrite: 0,
    promptTokens: 111,
    cost: { total: 0.000636 },
  },
  trace: underRun('4'.repeat(16)),
  seq: 4,
  ts: 1_000_200,
  ...changes,
});

export const toolCall = (changes: object = {}) => ({
  type: 'tool.execution.completed',
  ...session,
  ...ofTool,
  durationMs: 20,
  trace: underRun('5'.repeat(16)),
  seq: 6,
  ts: 1_000_300,
  ...changes,
});

/** The two arguments of the hook `after_tool_call`. */
export const toolContent = (
  changes: { event?: object; details?: object; text?: string } = {},
): [unknown, unknown] => [
  {
    toolName: 'exec',
    toolCallId: 'call_0',
    runId: session.runId,
    params: { command: 'uname -srm' },
    result: {
      content: [{ type: 'text', text: changes.text ?? 'Linux 6.18 x86_64' }],
      details: { status: 'completed', exitCode: 0, ...changes.details },
    },
    durationMs: 25,
    ...changes.event,
  },
  { ...session, agentId: 'edge', toolName: 'exec', toolCallId: 'call_0' },
];

export const agentText = (changes: object = {}) => ({
  runId: session.runId,
  assistantTexts: ['It says: Linux'],
  lastAssistant: { role: 'assistant', stopReason: 'stop' },
  ...changes,
});
