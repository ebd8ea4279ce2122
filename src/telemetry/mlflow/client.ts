import { z } from 'zod';
import { MlflowError } from '../../fleet/errors.ts';
import type { MlflowServer } from '../mlflow-target.ts';
import { askMlflow, type Patience } from './ask-mlflow.ts';

/** A span that MLflow holds. */
export interface StoredSpan {
  /** 16 hex digits. */
  readonly spanId: string;
  readonly name: string;
  /** Those of its attributes that are text. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** What somebody said of a trace. */
export interface StoredAssessment {
  readonly assessmentId: string;
  readonly name: string;
  /** `HUMAN` for people. */
  readonly source: { readonly type: string; readonly id: string };
  /** undefined for an expectation, which says what should have been. */
  readonly value: unknown;
  readonly rationale: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A trace that MLflow holds, as far as it has come. */
export interface StoredTrace {
  readonly spans: readonly StoredSpan[];
  readonly assessments: readonly StoredAssessment[];
}

/** A person's word of a trace. */
export interface NewAssessment {
  /**
   * Unique over all traces, at most 50 characters. MLflow makes no second assessment of the same id: it answers 500
   * (`mlflow-away`), which leaves the first as it was.
   */
  readonly assessmentId: string;
  readonly name: string;
  readonly value: boolean | string;
  /** Who says so. */
  readonly sourceId: string;
  readonly rationale?: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What replaces an assessment's; metadata is added to what is there. */
export interface AssessmentChange {
  readonly value: boolean | string;
  readonly rationale: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * What fleetbot asks MLflow for. A trace id is OpenTelemetry's: 32 hex digits. Everything rejects with MlflowError, or
 * with the reason of the signal.
 */
export interface MlflowClient {
  /** The trace, also where its root has not come yet; undefined where MLflow knows none. */
  trace(traceId: string, signal?: AbortSignal): Promise<StoredTrace | undefined>;
  /** Rejects with `mlflow-unknown` where there is no such trace (yet). */
  assess(traceId: string, assessment: NewAssessment, signal?: AbortSignal): Promise<void>;
  /** Rejects with `mlflow-unknown` where there is no such assessment. */
  updateAssessment(
    traceId: string,
    assessmentId: string,
    change: AssessmentChange,
    signal?: AbortSignal,
  ): Promise<void>;
}

const defaultTimeoutMs = 10_000;

/** Speaks to MLflow's REST interface. Source: `facts/mlflow-otel.md`, REST, and what MLflow 3.17 answered. */
export function createMlflowClient(
  server: MlflowServer,
  { timeoutMs = defaultTimeoutMs }: Partial<Pick<Patience, 'timeoutMs'>> = {},
): MlflowClient {
  const assessments = (traceId: string) => `${traces}/tr-${traceId}/assessments`;
  return {
    async trace(traceId, signal) {
      const path = `${traces}/get?trace_id=tr-${traceId}&allow_partial=true`;
      try {
        return await askMlflow(server, { path, answer: traceSchema }, { timeoutMs, signal });
      } catch (error) {
        if (error instanceof MlflowError && error.code === 'mlflow-unknown') return undefined;
        throw error;
      }
    },
    async assess(traceId, { assessmentId, name, value, sourceId, rationale, metadata }, signal) {
      const assessment = {
        assessment_id: assessmentId,
        assessment_name: name,
        trace_id: `tr-${traceId}`,
        source: { source_type: 'HUMAN', source_id: sourceId },
        feedback: { value },
        ...(rationale !== undefined && { rationale }),
        metadata,
      };
      const question = { path: assessments(traceId), body: { assessment }, answer: takenSchema };
      await askMlflow(server, { method: 'POST', ...question }, { timeoutMs, signal });
    },
    async updateAssessment(traceId, assessmentId, { value, ...change }, signal) {
      const path = `${assessments(traceId)}/${encodeURIComponent(assessmentId)}`;
      const body = {
        assessment: { feedback: { value }, ...change },
        update_mask: 'feedback,rationale,metadata',
      };
      await askMlflow(server, { method: 'PATCH', path, body, answer: takenSchema }, { timeoutMs, signal });
    },
  };
}

const traces = '/api/3.0/mlflow/traces';

/** MLflow answers with protobuf's JSON, where ids are base64 and what is empty is left out. */
const spanSchema = z
  .object({
    span_id: z.base64().transform((text) => Buffer.from(text, 'base64').toString('hex')),
    name: z.string(),
    attributes: z
      .array(z.object({ key: z.string(), value: z.object({ string_value: z.string().optional() }) }))
      .default([]),
  })
  .transform(
    ({ span_id, name, attributes }): StoredSpan => ({
      spanId: span_id,
      name,
      attributes: new Map(
        attributes.flatMap(({ key, value: { string_value } }) =>
          string_value === undefined ? [] : [[key, string_value]],
        ),
      ),
    }),
  );

const assessmentSchema = z
  .object({
    assessment_id: z.string(),
    assessment_name: z.string(),
    source: z.object({ source_type: z.string().default(''), source_id: z.string().default('') }).prefault({}),
    feedback: z.object({ value: z.unknown() }).optional(),
    rationale: z.string().default(''),
    metadata: z.record(z.string(), z.string()).default({}),
  })
  .transform(
    ({ assessment_id, assessment_name, source, feedback, rationale, metadata }): StoredAssessment => ({
      assessmentId: assessment_id,
      name: assessment_name,
      source: { type: source.source_type, id: source.source_id },
      value: feedback?.value,
      rationale,
      metadata,
    }),
  );

/** A login page's 200 is no confirmation. */
const takenSchema = z.object({ assessment: z.object({ assessment_id: z.string() }) });

const traceSchema = z
  .object({
    trace: z.object({
      trace_info: z.object({ assessments: z.array(assessmentSchema).default([]) }),
      spans: z.array(spanSchema).default([]),
    }),
  })
  .transform(({ trace }): StoredTrace => ({ spans: trace.spans, assessments: trace.trace_info.assessments }));
