import { ROOT_CONTEXT, type Tracer, trace } from '@opentelemetry/api';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { Run } from '../fleet/run.ts';
import { createLinkTo, type TraceLink } from './link-to.ts';
import type { MlflowTarget } from './mlflow-target.ts';
import { redact } from './redact.ts';
import type { ExportCounts } from './reporting-exporter.ts';
import { RunTracer } from './run-tracer.ts';
import { SafeTracer } from './safe-tracer.ts';
import type { ExportTimings } from './start-sdk.ts';
import { RunIds } from './trace-ids.ts';

export const defaultExportTimings: ExportTimings = {
  batchDelayMs: 1_000,
  exportTimeoutMs: 10_000,
  shutdownTimeoutMs: 10_000,
};

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
  readonly tracer: SafeTracer;
  readonly linkTo: (run: Run) => TraceLink;
  /** What became of the spans so far. */
  counts(): ExportCounts;
  /** Sends what is recorded. Resolves also when that fails, which is logged. */
  flush(): Promise<void>;
  /** Sends what is recorded, as far as time allows, and ends. Never rejects. */
  shutdown(): Promise<void>;
}

/**
 * Tracing of runs to MLflow over OTLP/protobuf. OpenTelemetry is global to a process: one has one Telemetry at
 * a time; another may follow once this one is shut down. A run never waits for MLflow and never fails because
 * of it: spans are sent in the background, and lost ones are counted and logged.
 */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { mlflow, log, clock = Date.now } = options;
  const timings = { ...defaultExportTimings, ...options.timings };
  const ids = new RunIds(new RandomIdGenerator());
  const sdk = mlflow && (await loadSdk()).startSdk({ mlflow, idGenerator: ids, log, timings });
  const tracer = trace.getTracerProvider().getTracer('fleetbot');

  const quietly = async (work: Promise<void> | undefined): Promise<void> => {
    try {
      await work;
    } catch (error) {
      log.warn({ err: error }, 'the last spans may be lost: MLflow did not confirm them');
    }
  };
  return {
    tracer: new SafeTracer(new RunTracer({ tracer, ids, redact, clock }), log),
    linkTo: linksOrReason(mlflow, tracer, log),
    counts: () => sdk?.counts() ?? { exportedSpans: 0, lostSpans: 0 },
    flush: () => quietly(sdk?.flush()),
    shutdown: () => quietly(sdk && within(sdk.shutdown(), timings.shutdownTimeoutMs)),
  };
}

/** The SDK for Node loads every exporter there is, for 0.6 s and 60 MB: only who sends traces pays for them. */
function loadSdk() {
  return import('./start-sdk.ts');
}

/** Links to traces. Where runs leave none, the link says why and the log, once, what an operator can do. */
function linksOrReason(
  mlflow: MlflowTarget | undefined,
  tracer: Tracer,
  log: Logger,
): (run: Run) => TraceLink {
  const noLinks = (reason: string, cure: string) => {
    log.info(`${reason}: runs leave no trace. ${cure}`);
    return () => ({ missing: reason });
  };
  if (!mlflow) {
    return noLinks(
      'MLflow is not configured',
      'For traces, set MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_ID.',
    );
  }
  // This span is never sent, because it never ends.
  if (tracer.startSpan('probe', {}, ROOT_CONTEXT).isRecording()) return createLinkTo(mlflow);
  return noLinks('OpenTelemetry is switched off', 'For traces, unset OTEL_SDK_DISABLED.');
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
