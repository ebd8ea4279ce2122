import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';

type ExportCallback = Parameters<SpanExporter['export']>[1];
type ExportResult = Parameters<ExportCallback>[0];

/** ExportResultCode.SUCCESS of @opentelemetry/core. */
const success = 0;

/** What became of the spans so far. */
export interface ExportCounts {
  readonly exportedSpans: number;
  readonly lostSpans: number;
}

/**
 * Hands spans to another exporter and keeps count. The first failure of a streak is logged with its cure, and
 * the end of the streak with what it cost; lost spans are not tried again.
 */
export class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: Logger;
  readonly #explain: (error: Error | undefined) => string;
  #exportedSpans = 0;
  #lostSpans = 0;
  #lostInStreak = 0;

  constructor(exporter: SpanExporter, log: Logger, explain: (error: Error | undefined) => string) {
    this.#exporter = exporter;
    this.#log = log;
    this.#explain = explain;
  }

  counts(): ExportCounts {
    return { exportedSpans: this.#exportedSpans, lostSpans: this.#lostSpans };
  }

  export(spans: ReadableSpan[], done: ExportCallback): void {
    this.#exporter.export(spans, (result) => {
      this.#count(spans.length, result);
      // The batch processor would only report the failure a second time, to OpenTelemetry's own logger.
      done({ code: success });
    });
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #count(spans: number, result: ExportResult): void {
    if (result.code === success) {
      this.#exportedSpans += spans;
      if (this.#lostInStreak > 0) {
        this.#log.info({ lostSpans: this.#lostInStreak }, 'MLflow takes spans again');
      }
      this.#lostInStreak = 0;
      return;
    }
    if (this.#lostInStreak === 0) this.#log.warn({ lostSpans: spans }, this.#explain(result.error));
    this.#lostInStreak += spans;
    this.#lostSpans += spans;
  }
}
