import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMlflowClient } from '../../../src/telemetry/mlflow/client.ts';
import { startJsonServer } from '../../support/json-server.ts';

const traceId = '81bf25ccf526f4236835a808d36a4532';
const unknownTrace = {
  error_code: 'RESOURCE_DOES_NOT_EXIST',
  message: `Trace with ID tr-${traceId} is not found.`,
};

/** A server that gives everyone this answer: what MLflow 3.17 was seen to answer. */
async function answering(status: number, body: unknown, headers: Record<string, string> = {}) {
  const server = await startJsonServer(() => ({ status, body, headers }));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { asked: server.asked, server: { trackingUri: `${server.url}/` } };
}

describe('a trace', () => {
  const path = `/api/3.0/mlflow/traces/get?trace_id=tr-${traceId}&allow_partial=true`;

  it('is told with its spans and assessments', async () => {
    const { asked, server } = await answering(200, {
      trace: {
        trace_info: {
          assessments: [
            {
              assessment_id: 'a-1',
              assessment_name: 'operator_rating',
              source: { source_type: 'HUMAN', source_id: 'U123' },
              feedback: { value: false },
              rationale: 'wrong disk',
              metadata: { 'fleet.id': '170-0' },
            },
            {
              assessment_id: 'a-2',
              assessment_name: 'truth',
              source: { source_type: 'SOURCE_TYPE_UNSPECIFIED' },
              expectation: { value: 'ok' },
            },
          ],
        },
        spans: [
          {
            trace_id: 'gb8lzPUm9CNoNagI02pFMg==',
            span_id: 'F5oEUhFnuEE=',
            name: 'tool.execution',
            attributes: [
              { key: 'host.name', value: { string_value: 'web-01' } },
              { key: 'process.exit.code', value: { int_value: 3 } },
            ],
          },
          { trace_id: 'gb8lzPUm9CNoNagI02pFMg==', span_id: 'inwCzQmgDFI=', name: 'evidence' },
        ],
      },
    });
    const credentials = { kind: 'basic', username: 'ann', password: 'ünï' } as const;
    expect(await createMlflowClient({ ...server, credentials }).trace(traceId)).toEqual({
      spans: [
        {
          spanId: '179a04521167b841',
          name: 'tool.execution',
          attributes: new Map([['host.name', 'web-01']]),
        },
        { spanId: '8a7c02cd09a00c52', name: 'evidence', attributes: new Map() },
      ],
      assessments: [
        {
          assessmentId: 'a-1',
          name: 'operator_rating',
          source: { type: 'HUMAN', id: 'U123' },
          value: false,
          rationale: 'wrong disk',
          metadata: { 'fleet.id': '170-0' },
        },
        {
          assessmentId: 'a-2',
          name: 'truth',
          source: { type: 'SOURCE_TYPE_UNSPECIFIED', id: '' },
          value: undefined,
          rationale: '',
          metadata: {},
        },
      ],
    });
    const authorization = `Basic ${Buffer.from('ann:ünï').toString('base64')}`;
    expect(asked).toMatchObject([{ line: `GET ${path}`, headers: { authorization }, body: undefined }]);
  });

  it('that MLflow does not know is none', async () => {
    const { server } = await answering(404, unknownTrace);
    expect(await createMlflowClient(server).trace(traceId)).toBeUndefined();
  });

  it('is not taken for unknown where something else than MLflow answers', async () => {
    const { server } = await answering(404, '<h1>Not Found</h1>');
    const asked = createMlflowClient(server).trace(traceId);
    await expect(asked).rejects.toMatchObject({
      code: 'mlflow-away',
      message: expect.stringContaining('404'),
    });
  });
});

describe('an assessment', () => {
  const word = {
    assessmentId: 'fleet-170-0',
    name: 'operator_rating',
    value: true,
    sourceId: 'U123',
    rationale: 'good',
    metadata: { 'fleet.id': '170-0' },
  };

  it("is a person's, under the caller's id", async () => {
    const { asked, server } = await answering(200, { assessment: { assessment_id: 'fleet-170-0' } });
    const credentials = { kind: 'bearer', token: 't0ken' } as const;
    await createMlflowClient({ ...server, credentials }).assess(traceId, word);
    expect(asked).toMatchObject([
      {
        line: `POST /api/3.0/mlflow/traces/tr-${traceId}/assessments`,
        headers: { authorization: 'Bearer t0ken' },
        body: {
          assessment: {
            assessment_id: 'fleet-170-0',
            assessment_name: 'operator_rating',
            trace_id: `tr-${traceId}`,
            source: { source_type: 'HUMAN', source_id: 'U123' },
            feedback: { value: true },
            rationale: 'good',
            metadata: { 'fleet.id': '170-0' },
          },
        },
      },
    ]);
  });

  it('is replaced with value, reason and metadata', async () => {
    const { asked, server } = await answering(200, { assessment: { assessment_id: 'fleet-170-0' } });
    const change = { value: 'denied', rationale: '', metadata: { 'fleet.id': '171-0' } };
    await createMlflowClient(server).updateAssessment(traceId, 'fleet-170-0', change);
    expect(asked).toMatchObject([
      {
        line: `PATCH /api/3.0/mlflow/traces/tr-${traceId}/assessments/fleet-170-0`,
        body: {
          assessment: { feedback: { value: 'denied' }, rationale: '', metadata: { 'fleet.id': '171-0' } },
          update_mask: 'feedback,rationale,metadata',
        },
      },
    ]);
  });

  it.each([
    ['an unknown trace', 404, unknownTrace, 'mlflow-unknown', 'not found'],
    [
      'bad input',
      400,
      { error_code: 'INVALID_PARAMETER_VALUE', message: 'no' },
      'mlflow-refused',
      '(400): no',
    ],
    ['a batch too large', 413, 'too large', 'mlflow-refused', 'too large'],
    ['a missing login', 401, 'You are not authenticated.', 'mlflow-denied', 'MLFLOW_TRACKING_TOKEN'],
    ['a missing permission', 403, 'Permission denied', 'mlflow-denied', 'EDIT permission'],
    [
      'a foreign host name',
      403,
      'Invalid Host header - possible DNS rebinding attack detected',
      'mlflow-denied',
      '--allowed-hosts',
    ],
    ['too many requests', 429, '', 'mlflow-away', '429'],
    ['an internal error', 500, { error_code: 'INTERNAL_ERROR', message: 'x' }, 'mlflow-away', '500'],
    ['a page instead of an answer', 200, '<html>', 'mlflow-away', 'MLFLOW_TRACKING_URI'],
  ])('rejects for %s with what to do', async (_case, status, answer, code, says) => {
    const { server } = await answering(status, answer);
    const message = expect.stringContaining(says);
    await expect(createMlflowClient(server).assess(traceId, word)).rejects.toMatchObject({ code, message });
  });
});

it('what breaks a question off is told as it is, and nobody else gets the login', async () => {
  const elsewhere = await answering(200, {});
  const { server } = await answering(307, '', { location: elsewhere.server.trackingUri });
  const credentials = { kind: 'bearer', token: 't0ken' } as const;
  const client = createMlflowClient({ ...server, credentials });
  await expect(client.trace(traceId)).rejects.toMatchObject({ code: 'mlflow-away' });
  expect(elsewhere.asked).toEqual([]);
  await expect(client.trace(traceId, AbortSignal.abort(new Error('Ctrl-C')))).rejects.toThrow('Ctrl-C');
});

it('an MLflow that is silent is away', async () => {
  const server = createServer(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  const trackingUri = `http://127.0.0.1:${address.port}`;
  const client = createMlflowClient({ trackingUri }, { timeoutMs: 50 });
  const message = expect.stringContaining('does not answer within 50 ms');
  await expect(client.trace(traceId)).rejects.toMatchObject({ code: 'mlflow-away', message });
  server.closeAllConnections();
  server.close();
  await expect(createMlflowClient({ trackingUri }).trace(traceId)).rejects.toThrow('ECONNREFUSED');
});
