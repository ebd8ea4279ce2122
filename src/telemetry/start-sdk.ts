import { context, diag, logs, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { AlwaysOnSampler, BatchSpanProcessor, type IdGenerator } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { explainExportFailure } from './explain-export-failure.ts';
import { exportHeaders, type MlflowTarget, tracesUrl } from './mlflow-target.ts';
import { type ExportCounts, ReportingExporter } from './reporting-exporter.ts';

/** Spans that wait for MLflow; with more, the newest are dropped. */
const maxWaitingSpans = 20_000;

/** More than a span of ours has. */
const maxAttributes = 128;

/** How spans are sent. */
export interface ExportTimings {
  /** Spans wait this long for others to be sent with. */
  readonly batchDelayMs: number;
  /** One batch, with the exporter's retries (429, 502, 503, 504 and connections that break). */
  readonly exportTimeoutMs: number;
  /** How long `shutdown` may take; what is not sent by then is lost. */
  readonly shutdownTimeoutMs: number;
}

export interface SdkOptions {
  readonly mlflow: MlflowTarget;
  readonly idGenerator: IdGenerator;
  readonly log: Logger;
  readonly timings: ExportTimings;
}

/** OpenTelemetry's SDK at work. */
export interface Sdk {
  counts(): ExportCounts;
  /** Sends what is recorded. Rejects when that fails. */
  flush(): Promise<void>;
  /** Sends what is recorded, ends, and leaves the process as it was. Rejects when sending fails. */
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK, which registers itself with `@opentelemetry/api` for the whole process: one at a
 * time. Only spans, only to MLflow: whatever the environment's OTEL_* variables say of other signals,
 * exporters, samplers, limits and consoles is overruled. OTEL_SDK_DISABLED=true is honoured: nothing is recorded.
 */
export function startSdk({ mlflow, idGenerator, log, timings }: SdkOptions): Sdk {
  const otlp = new OTLPTraceExporter({
    url: tracesUrl(mlflow),
    headers: exportHeaders(mlflow),
    timeoutMillis: timings.exportTimeoutMs,
  });
  const exporter = new ReportingExporter(otlp, log, (error) => explainExportFailure(error, mlflow));
  // Our own, because the SDK cannot flush.
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: maxWaitingSpans,
    scheduledDelayMillis: timings.batchDelayMs,
    exportTimeoutMillis: timings.exportTimeoutMs,
  });
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ 'service.name': 'fleetbot' }),
    autoDetectResources: false,
    idGenerator,
    sampler: new AlwaysOnSampler(),
    // RunTracer cuts long values itself, and says so in them.
    spanLimits: { attributeCountLimit: maxAttributes, attributeValueLengthLimit: Infinity },
    spanProcessors: [processor],
    logRecordProcessors: [],
    metricReaders: [],
    instrumentations: [],
    textMapPropagator: null,
  });
  // With OTEL_LOG_LEVEL set, the constructor makes OpenTelemetry print to the console, past our log's redactor.
  diag.disable();
  sdk.start();
  return {
    counts: () => exporter.counts(),
    async flush() {
      await processor.forceFlush();
      // The processor does not wait for a batch that it sent before; the exporter does.
      await exporter.forceFlush();
    },
    async shutdown() {
      trace.disable();
      context.disable();
      logs.disable();
      await sdk.shutdown();
    },
  };
}
