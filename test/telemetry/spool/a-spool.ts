import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tracer } from '@opentelemetry/api';
import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { createTelemetry, type TelemetryOptions } from '../../../src/telemetry/create-telemetry.ts';
import type { ExportTimings } from '../../../src/telemetry/start-sdk.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { diskOf } from './disk-of.ts';

/** No test waits for a pause. */
const timings: ExportTimings = {
  ...{ batchDelayMs: 10, exportTimeoutMs: 1_000, shutdownTimeoutMs: 400 },
  ...{ retryMinMs: 20, retryMaxMs: 50, adoptIntervalMs: 50 },
};

export const noSpans = {
  ...{ exportedSpans: 0, waitingSpans: 0, oldestWaitingMs: 0, refusedSpans: 0, lostSpans: 0 },
};

/** A folder for spans, and a server in the place of MLflow. */
export class SpoolUnderTest {
  readonly folder = mkdtempSync(join(tmpdir(), 'fleetbot-spool-'));
  readonly logged: { readonly msg: string; readonly waitingSpans?: number; readonly lostSpans?: number }[] =
    [];
  readonly receiver: OtlpReceiver;

  private constructor(receiver: OtlpReceiver) {
    this.receiver = receiver;
  }

  static async start(): Promise<SpoolUnderTest> {
    const spool = new SpoolUnderTest(await startOtlpReceiver());
    onTestFinished(async () => {
      await spool.receiver.close();
      rmSync(spool.folder, { recursive: true, force: true });
    });
    return spool;
  }

  /** A process of fleetbot's, as far as traces go. It is ended with the test. */
  async telemetry(changes: Partial<TelemetryOptions> = {}) {
    const lines = this.logged;
    const telemetry = await createTelemetry({
      mlflow: { trackingUri: this.receiver.url, publicUrl: this.receiver.url, experimentId: '7' },
      disk: diskOf(this.folder),
      log: pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) }),
      timings,
      ...changes,
    });
    onTestFinished(() => telemetry.shutdown());
    const tracer: Tracer = trace.getTracer('test');
    return { ...telemetry, tracer };
  }

  /** The names of what arrived, in order. */
  arrived(): string[] {
    return this.receiver.spans.map(({ name }) => name);
  }

  /** The folders of processes in the spool's. */
  lives(): string[] {
    return readdirSync(this.folder)
      .filter((name) => name.startsWith('life-'))
      .map((name) => join(this.folder, name))
      .toSorted();
  }

  /** All that processes have written of spans. */
  text(): string {
    return this.textIn(this.folder);
  }

  textIn(folder: string): string {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.startsWith('life-') && name.endsWith('.jsonl'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
  }

  /** Leaves the folder of the one process behind as a kill at this moment would. */
  kill(): string {
    const [life = ''] = this.lives();
    const orphan = join(this.folder, `life-1-${crypto.randomUUID()}`);
    cpSync(life, orphan, { recursive: true, filter: (source) => !source.endsWith('lock') });
    return orphan;
  }
}
