import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  RandomIdGenerator,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { Run } from '../fleet/run.ts';
import { explainExportFailure } from './explain-export-failure.ts';
import { createLinkTo, type TraceLink } from './link-to.ts';
import { exportHeaders, type MlflowTarget, tracesUrl } from './mlflow-target.ts';
import { redact } from './redact.ts';
import { type ExportCounts, ReportingExporter } from './reporting-exporter.ts';
import { RunTracer } from './run-tracer.ts';
import { RunIds } from './trace-ids.ts';

/** How spans are sent. */
export interface ExportTimings {
  /** Spans wait this long for others to be sent with. */
  readonly batchDelayMs: number;
  /** One batch, with the exporter's retries (429, 502, 503, 504 and connections that break). */
  readonly exportTimeoutMs: number;
  /** How long `shutdown` may take; what is not sent by then is lost. */
  readonly shutdownTimeoutMs: number;
}

export const defaultExportTimings: ExportTimings = {
  batchDelayMs: 1_000,
  exportTimeoutMs: 10_000,
  shutdownTimeoutMs: 10_000,
};

/** Spans that wait for MLflow; with more, the newest are dropped. */
const maxWaitingSpans = 20_000;

export interface TelemetryOptions {
  /** Absent: nothing is recorded or sent, and links say why. */
  readonly mlflow?: MlflowTarget | undefined;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly timings?: Partial<ExportTimings>;
}

/** Traces of runs, for the supervisors; links to them, for Slack. */
export interface Telemetry {
  readonly tracer: RunTracer;
  readonly linkTo: (run: Run) => TraceLink;
  /** What became of the spans so far. */
  counts(): ExportCounts;
  /** Sends what is recorded. Resolves also when that fails, which is logged. */
  flush(): Promise<void>;
  /** Sends what is recorded, as far as time allows, and ends. Never rejects. */
  shutdown(): Promise<void>;
}

/**
 * Tracing of runs to MLflow over OTLP/protobuf. Nothing is registered globally. A run never waits for MLflow
 * and never fails because of it: spans are sent in the background, and lost ones are counted and logged.
 */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { mlflow, log, clock = Date.now } = options;
  const timings = { ...defaultExportTimings, ...options.timings };
  const exporter = mlflow && reportingExporter(mlflow, log, timings);
  const processor =
    exporter &&
    new BatchSpanProcessor({
      exporter,
      maxQueueSize: maxWaitingSpans,
      scheduledDelayMillis: timings.batchDelayMs,
      exportTimeoutMillis: timings.exportTimeoutMs,
    });
  const ids = new RunIds(new RandomIdGenerator());
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'fleetbot' }),
    sampler: processor ? new AlwaysOnSampler() : new AlwaysOffSampler(),
    idGenerator: ids,
    spanProcessors: processor ? [processor] : [],
  });
  const quietly = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) =>
      log.warn({ err: error }, 'the last spans may be lost: MLflow did not confirm them'),
    );
  return {
    tracer: new RunTracer({ tracer: provider.getTracer('fleetbot'), ids, redact, clock }),
    linkTo: createLinkTo(mlflow),
    counts: () => exporter?.counts() ?? { exportedSpans: 0, lostSpans: 0 },
    // The processor does not wait for a batch that it sent before; the exporter does.
    flush: () => quietly(provider.forceFlush().then(() => exporter?.forceFlush())),
    shutdown: () => quietly(within(provider.shutdown(), timings.shutdownTimeoutMs)),
  };
}

function reportingExporter(mlflow: MlflowTarget, log: Logger, timings: ExportTimings): ReportingExporter {
  const otlp = new OTLPTraceExporter({
    url: tracesUrl(mlflow),
    headers: exportHeaders(mlflow),
    timeoutMillis: timings.exportTimeoutMs,
  });
  return new ReportingExporter(otlp, log, (error) => explainExportFailure(error, mlflow));
}

async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  const timedOut = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timedOut.reject(new Error(`MLflow did not take them within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    await Promise.race([work, timedOut.promise]);
  } finally {
    clearTimeout(timer);
  }
}
