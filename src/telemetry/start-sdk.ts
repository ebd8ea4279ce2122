import { context, diag, logs, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { AlwaysOnSampler, type IdGenerator } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { explainExportFailure } from './explain-export-failure.ts';
import type { MlflowTarget } from './mlflow-target.ts';
import { exportSpans } from './spool/export-spans.ts';
import { createMlflowExporter } from './spool/mlflow-exporter.ts';
import { RefusedSpans } from './spool/refused-spans.ts';
import { SpanRecorder } from './spool/span-recorder.ts';
import { type SendTimings, SpanSender } from './spool/span-sender.ts';
import { Spool, type SpoolFolder } from './spool/spool.ts';

/** More than a span of ours has. */
const maxAttributes = 128;

/** Of the spool's room: refused spans must not take that of those that wait. */
const refusedShare = 0.25;

/** How spans are sent, in milliseconds. */
export interface ExportTimings extends SendTimings {
  /** One batch, with the exporter's retries (429, 502, 503, 504 and connections that break). */
  readonly exportTimeoutMs: number;
  /** How long `shutdown` may take; what is not sent by then stays in the spool's folder, or is lost without one. */
  readonly shutdownTimeoutMs: number;
  /** How often the folder is looked through for what processes that are gone have left. */
  readonly adoptIntervalMs: number;
}

/** What became of the spans so far. */
export interface SpanCounts {
  /** MLflow has taken them. */
  readonly exportedSpans: number;
  /** They are to be sent, also those that another process has left. */
  readonly waitingSpans: number;
  /** How long the oldest of them has waited; 0 where MLflow takes them. */
  readonly oldestWaitingMs: number;
  /** MLflow will never take them as they are. */
  readonly refusedSpans: number;
  /** Nobody has them. */
  readonly lostSpans: number;
}

export interface SdkOptions {
  readonly mlflow: MlflowTarget;
  readonly idGenerator: IdGenerator;
  /** Absent: spans wait in memory. */
  readonly disk?: SpoolFolder | undefined;
  readonly clock: () => number;
  readonly log: Logger;
  readonly timings: ExportTimings;
}

/** OpenTelemetry's SDK at work. */
export interface Sdk {
  counts(): SpanCounts;
  /** Sends what is recorded. Resolves also when that fails, which is logged. */
  flush(): Promise<void>;
  /** Sends what is recorded, as far as time allows, ends, and leaves the process as it was. Never rejects. */
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK, which registers itself with `@opentelemetry/api` for the whole process: one at a
 * time. Only spans, only to MLflow: whatever the environment's OTEL_* variables say of other signals,
 * exporters, samplers, limits and consoles is overruled.
 */
export async function startSdk({ mlflow, idGenerator, disk, clock, log, timings }: SdkOptions): Promise<Sdk> {
  const exporter = createMlflowExporter(mlflow, timings.exportTimeoutMs);
  const spool = new Spool({ disk, clock, log });
  await spool.open();
  const refused = new RefusedSpans({
    ...{ folder: disk?.folder, maxBytes: (disk?.maxBytes ?? 0) * refusedShare, clock, log },
  });
  const sender = new SpanSender({
    next: () => spool.next(),
    deliver: (spans) => exportSpans(exporter, spans),
    refuse: (span, error) => refused.add(span, error),
    explain: (error) => explainExportFailure(error, mlflow),
    timings,
    log,
  });
  const recorder = new SpanRecorder((turn) => {
    spool.append(turn);
    sender.notify();
  });
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ 'service.name': 'fleetbot' }),
    autoDetectResources: false,
    idGenerator,
    sampler: new AlwaysOnSampler(),
    // RunTracer cuts long values itself, and says so in them.
    spanLimits: { attributeCountLimit: maxAttributes, attributeValueLengthLimit: Infinity },
    spanProcessors: [recorder],
    logRecordProcessors: [],
    metricReaders: [],
    instrumentations: [],
    textMapPropagator: null,
  });
  // With OTEL_LOG_LEVEL set, the constructor makes OpenTelemetry print to the console, past our log's redactor.
  diag.disable();
  sdk.start();

  const lookAfter = () => void spool.lookAfter().then(() => sender.notify());
  const looking = setInterval(lookAfter, timings.adoptIntervalMs);
  looking.unref();
  lookAfter();
  sender.start();
  const flush = async () => {
    await recorder.forceFlush();
    await sender.flush();
  };
  return {
    counts: () => ({
      exportedSpans: sender.exported,
      waitingSpans: spool.waiting,
      oldestWaitingMs: sender.oldest === undefined ? 0 : Math.max(clock() - sender.oldest, 0),
      refusedSpans: refused.count,
      lostSpans: spool.lost,
    }),
    flush,
    async shutdown() {
      trace.disable();
      context.disable();
      logs.disable();
      clearInterval(looking);
      await within(timings.shutdownTimeoutMs, async () => {
        await sdk.shutdown();
        await sender.flush();
      });
      // What is on its way may come back late: whoever gets it then sends it again, which changes nothing.
      void sender.stop().then(() => exporter.shutdown());
      await spool.close();
    },
  };
}

/** Resolves when the work has ended or the time is over. */
async function within(timeoutMs: number, work: () => Promise<void>): Promise<void> {
  const timedOut = Promise.withResolvers<void>();
  const timer = setTimeout(timedOut.resolve, timeoutMs);
  try {
    await Promise.race([work(), timedOut.promise]);
  } finally {
    clearTimeout(timer);
  }
}
