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
  attributes: z.array(z.object({ key: z.string(), value: valueSchema })),
});

const infoSchema = z.object({
  trace_id: z.string(),
  state: z.string(),
  tags: z.record(z.string(), z.string()),
  trace_metadata: z.record(z.string(), z.string()),
});

/** A span of a trace that MLflow holds, with the name of its parent. */
export interface StoredSpan {
  readonly name: string;
  /** Undefined for the root. */
  readonly parent: string | undefined;
  readonly startNs: number;
  readonly endNs: number;
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
    name: span.name,
    parent: span.parent_span_id && (names.get(span.parent_span_id) ?? 'a span that is not there'),
    startNs: span.start_time_unix_nano,
    endNs: span.end_time_unix_nano,
    attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, value])),
  }));
  return { ...trace.trace_info, spans, text };
}

/** The ids of the traces of one run, by its tag. */
export async function tracesOfRun(mlflowUrl: string, runId: string): Promise<string[]> {
  const response = await fetch(`${mlflowUrl}/api/3.0/mlflow/traces/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      locations: [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } }],
      filter: `tag.\`fleet.run\` = '${runId}'`,
      max_results: 50,
    }),
  });
  const found = z.object({ traces: z.array(infoSchema).default([]) }).parse(await response.json());
  return found.traces.map((trace) => trace.trace_id);
}
