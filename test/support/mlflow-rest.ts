import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';

const textsSchema = z.record(z.string(), z.string());

/** An assessment as MLflow keeps and tells it. */
const assessmentSchema = z.object({
  assessment_id: z.string().optional(),
  assessment_name: z.string(),
  source: z.object({ source_type: z.string(), source_id: z.string() }),
  feedback: z.object({ value: z.union([z.boolean(), z.string()]) }),
  rationale: z.string().optional(),
  metadata: textsSchema.optional(),
});
type StoredAssessment = z.infer<typeof assessmentSchema> & { readonly assessment_id: string };
const createSchema = z.object({ assessment: assessmentSchema });
const updateSchema = z.object({
  assessment: assessmentSchema.pick({ feedback: true, rationale: true, metadata: true }),
  update_mask: z.literal('feedback,rationale,metadata'),
});

/** What a server keeps of a trace for these tests. */
export interface MlflowRest {
  readonly url: string;
  /** By id of the trace: `tr-` and 32 hex digits. A trace that is not here is not known. */
  readonly traces: Map<string, StoredAssessment[]>;
  /** Answers every request so, without doing anything. */
  refusal: { readonly status: number; readonly code: string } | undefined;
  /** Called once something was stored and before that is answered. */
  stored: () => void;
  close(): Promise<void>;
}

/** Speaks MLflow's REST for assessments as 3.17.2 does, as far as fleetbot uses it. */
export async function startMlflowRest(): Promise<MlflowRest> {
  let created = 0;

  async function serve(request: IncomingMessage): Promise<[status: number, answer: object]> {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://mlflow');
    const { refusal, traces } = mlflow;
    if (refusal !== undefined) return [refusal.status, { error_code: refusal.code, message: 'refused' }];
    const [, named, assessmentId] =
      /^\/api\/3\.0\/mlflow\/traces\/([^/]+)(?:\/assessments(?:\/(.+))?)?$/.exec(pathname) ?? [];
    const traceId = named === 'get' ? (searchParams.get('trace_id') ?? '') : (named ?? '');
    const assessments = traces.get(traceId);
    if (assessments === undefined)
      return [
        404,
        { error_code: 'RESOURCE_DOES_NOT_EXIST', message: `Trace with ID '${traceId}' not found.` },
      ];
    switch (request.method) {
      case 'POST': {
        const { assessment } = createSchema.parse(JSON.parse(body));
        created += 1;
        const stored = { ...assessment, assessment_id: assessment.assessment_id ?? `a-${created}` };
        if (assessments.some((each) => each.assessment_id === stored.assessment_id))
          return [500, { error_code: 'INTERNAL_ERROR', message: 'constraint violation' }];
        assessments.push(stored);
        mlflow.stored();
        return [200, { assessment: stored }];
      }
      case 'PATCH': {
        const { assessment } = updateSchema.parse(JSON.parse(body));
        const index = assessments.findIndex((each) => each.assessment_id === assessmentId);
        const before = assessments[index];
        if (before === undefined)
          return [404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no such assessment' }];
        const metadata = { ...before.metadata, ...assessment.metadata };
        assessments[index] = { ...before, ...assessment, metadata };
        mlflow.stored();
        return [200, { assessment: assessments[index] }];
      }
      default: {
        const info = {
          ...{ trace_id: traceId, state: 'OK', request_time: '2026-11-23T04:00:00Z', tags: {} },
          trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '1' } },
          ...(assessments.length > 0 && { assessments }),
        };
        return [200, { trace: { trace_info: info, spans: [] } }];
      }
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, told] = await serve(request).catch((error: unknown): [number, object] => [
      400,
      { error_code: 'INVALID_PARAMETER_VALUE', message: String(error) },
    ]);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(told));
  }

  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const mlflow: MlflowRest = {
    url: `http://127.0.0.1:${port}`,
    traces: new Map(),
    refusal: undefined,
    stored: () => {},
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return mlflow;
}
