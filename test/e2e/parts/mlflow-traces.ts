import { z } from 'zod';

const valueSchema = z.union([
  z.object({ string_value: z.string() }).transform((value) => value.string_value),
  z.object({ int_value: z.coerce.number() }).transform((value) => value.int_value),
  z.object({ double_value: z.number() }).transform((value) => value.double_value),
  z.object({ bool_value: z.boolean() }).transform((value) => value.bool_value),
  z.unknown().transform(() => undefined),
]);

const spanSchema = z.object({
  span_id: z.string(),
  parent_span_id: z.string().optional(),
  name: z.string(),
  start_time_unix_nano: z.coerce.number(),
  end_time_unix_nano: z.coerce.number(),
  status: z.object({ code: z.string().default(''), message: z.string().default('') }).optional(),
  attributes: z.array(z.object({ key: z.string(), value: valueSchema })),
});

/** What a person said of a trace. */
const assessmentSchema = z.object({
  assessment_name: z.string(),
  source: z.object({ source_type: z.string(), source_id: z.string() }),
  feedback: z.object({ value: z.union([z.boolean(), z.string()]) }),
  rationale: z.string().optional(),
  valid: z.boolean().default(true),
});

const infoSchema = z.object({
  trace_id: z.string(),
  state: z.string(),
  tags: z.record(z.string(), z.string()),
  trace_metadata: z.record(z.string(), z.string()).default({}),
  assessments: z.array(assessmentSchema).default([]),
});

/** A span of a trace that MLflow holds, with the name of its parent. */
export interface StoredSpan {
  /** 16 hex digits. */
  readonly id: string;
  readonly name: string;
  /** Undefined for the root. */
  readonly parent: string | undefined;
  readonly parentId: string | undefined;
  readonly startNs: number;
  readonly endNs: number;
  /** As OpenTelemetry names it, such as STATUS_CODE_OK, with its message. */
  readonly status: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface StoredTrace extends z.infer<typeof infoSchema> {
  readonly spans: readonly StoredSpan[];
  /** Everything that MLflow answers about it. */
  readonly text: string;
}

/** One trace over MLflow's REST interface. @throws Error while MLflow does not know it */
export async function storedTrace(mlflowUrl: string, traceId: string): Promise<StoredTrace> {
  const response = await fetch(`${mlflowUrl}/api/3.0/mlflow/traces/get?trace_id=${traceId}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  const { trace } = z
    .object({ trace: z.object({ trace_info: infoSchema, spans: z.array(spanSchema) }) })
    .parse(JSON.parse(text));
  const names = new Map(trace.spans.map((span) => [span.span_id, span.name]));
  const spans = trace.spans.map((span) => ({
    id: hexOf(span.span_id),
    name: span.name,
    parentId: span.parent_span_id && hexOf(span.parent_span_id),
    parent: span.parent_span_id && (names.get(span.parent_span_id) ?? 'a span that is not there'),
    startNs: span.start_time_unix_nano,
    endNs: span.end_time_unix_nano,
    status: [span.status?.code, span.status?.message].filter(Boolean).join(' '),
    attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, value])),
  }));
  return { ...trace.trace_info, spans, text };
}

/** MLflow answers with the bytes of an id in base64. */
function hexOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

/** The ids of the traces of one run, by its tag. */
export async function tracesOfRun(mlflowUrl: string, runId: string): Promise<string[]> {
  return foundTraces(mlflowUrl, `tag.\`fleet.run\` = '${runId}'`);
}

/** The ids of the traces that a filter of MLflow's finds, the newest first. */
export async function foundTraces(mlflowUrl: string, filter: string): Promise<string[]> {
  const response = await fetch(`${mlflowUrl}/api/3.0/mlflow/traces/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      locations: [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } }],
      filter,
      max_results: 50,
      order_by: ['timestamp_ms DESC'],
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  const found = z.object({ traces: z.array(infoSchema).default([]) }).parse(JSON.parse(text));
  return found.traces.map((trace) => trace.trace_id);
}
