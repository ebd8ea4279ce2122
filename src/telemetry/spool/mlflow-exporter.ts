import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { exportHeaders, type MlflowTarget, tracesUrl } from '../mlflow-target.ts';

/** Sends spans to MLflow as OTLP/protobuf; tries for `timeoutMs` where that may help. */
export function createMlflowExporter(mlflow: MlflowTarget, timeoutMs: number): SpanExporter {
  return new OTLPTraceExporter({
    url: tracesUrl(mlflow),
    headers: exportHeaders(mlflow),
    timeoutMillis: timeoutMs,
  });
}
