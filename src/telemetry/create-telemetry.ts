import { trace } from '@opentelemetry/api';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { Traced } from '../fleet/run.ts';
import { createLinkTo, type TraceLink, type TracesOf } from './link-to.ts';
import { type Assessor, createAssessor } from './mlflow/assessor.ts';
import { createMlflowClient } from './mlflow/client.ts';
import type { MlflowTarget } from './mlflow-target.ts';
import { redact } from './redact.ts';
import { RunTracer } from './run-tracer.ts';
import { SafeTracer } from './safe-tracer.ts';
import type { SpoolFolder } from './spool/spool.ts';
import type { ExportTimings, SpanCounts } from './start-sdk.ts';
import { RunIds } from './trace-ids.ts';

export const defaultExportTimings: ExportTimings = {
  batchDelayMs: 1_000,
  exportTimeoutMs: 30_000,
  shutdownTimeoutMs: 10_000,
  retryMinMs: 1_000,
  retryMaxMs: 60_000,
  adoptIntervalMs: 60_000,
};

const noSpans: SpanCounts = {
  ...{ exportedSpans: 0, waitingSpans: 0, oldestWaitingMs: 0, refusedSpans: 0, lostSpans: 0 },
};

export interface TelemetryOptions {
  /** Absent: nothing is recorded or sent, and links say why. */
  readonly mlflow?: MlflowTarget | undefined;
  /** Where spans are kept until MLflow has them. Absent: in memory, and lost with the process. */
  readonly disk?: SpoolFolder | undefined;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly timings?: Partial<ExportTimings>;
}

/** Traces of runs, for the supervisors; links to them, for Slack. */
export interface Telemetry {
  readonly tracer: SafeTracer;
  readonly linkTo: (what: Traced | TracesOf) => TraceLink;
  /** Keeps what people say of traces; undefined where runs leave none. */
  readonly assessor: Assessor | undefined;
  /** What became of the spans so far. */
  counts(): SpanCounts;
  /** Sends what is recorded. Resolves also when that fails, which is logged. */
  flush(): Promise<void>;
  /** Sends what is recorded, as far as time allows, and ends. Never rejects. */
  shutdown(): Promise<void>;
}

/**
 * Tracing of runs to MLflow over OTLP/protobuf. OpenTelemetry is global to a process: one has one Telemetry at
 * a time; another may follow once this one is shut down. A run never waits for MLflow and never fails because
 * of it: spans are kept, and sent in the background. OTEL_SDK_DISABLED=true is honoured: nothing is recorded.
 */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { mlflow, disk, log, clock = Date.now } = options;
  const timings = { ...defaultExportTimings, ...options.timings };
  const idGenerator = new RunIds(new RandomIdGenerator());
  const target = isSwitchedOff(process.env) ? undefined : mlflow;
  const sdk =
    target && (await (await loadSdk()).startSdk({ mlflow: target, idGenerator, disk, clock, log, timings }));
  const tracer = trace.getTracerProvider().getTracer('fleetbot');
  const records = sdk !== undefined;
  return {
    tracer: new SafeTracer(new RunTracer({ tracer, ids: idGenerator, redact, clock, records }), log),
    linkTo: target ? createLinkTo(target) : noLinks(mlflow, log),
    assessor: target && createAssessor(createMlflowClient(target)),
    counts: () => sdk?.counts() ?? noSpans,
    flush: async () => sdk?.flush(),
    shutdown: async () => sdk?.shutdown(),
  };
}

/** The SDK for Node loads every exporter there is, for 0.6 s and 60 MB: only who sends traces pays for them. */
function loadSdk() {
  return import('./start-sdk.ts');
}

/** As OpenTelemetry's SDK reads it. */
function isSwitchedOff({ OTEL_SDK_DISABLED = '' }: NodeJS.ProcessEnv): boolean {
  return OTEL_SDK_DISABLED.trim().toLowerCase() === 'true';
}

/** Where runs leave no traces, the link says why and the log, once, what an operator can do. */
function noLinks(mlflow: MlflowTarget | undefined, log: Logger): () => TraceLink {
  const [reason, cure] = mlflow
    ? ['OpenTelemetry is switched off', 'For traces, unset OTEL_SDK_DISABLED.']
    : ['MLflow is not configured', 'For traces, set MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_ID.'];
  log.info(`${reason}: runs leave no trace. ${cure}`);
  return () => ({ missing: reason });
}
