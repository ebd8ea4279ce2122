import { appendFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { bodyOf, statusOf } from '../explain-export-failure.ts';
import { encodeSpans } from './encode-spans.ts';

/** Of what MLflow answered. */
const maxReasonCharacters = 1_000;
const fileMode = 0o640;

/** Refused spans are many or none: the log tells one of them in this time. */
const tellIntervalMs = 60_000;

/** Where refused spans are kept; `fleetbot traces replay` reads it. */
export function refusedFile(folder: string): string {
  return join(folder, 'refused.jsonl');
}

export interface RefusedSpansOptions {
  /** Absent: they are let go. */
  readonly folder?: string | undefined;
  /** The file grows no larger. */
  readonly maxBytes: number;
  readonly clock: () => number;
  readonly log: Logger;
}

/** Keeps the spans that MLflow will never take as they are, each with the reason. */
export class RefusedSpans {
  readonly #options: RefusedSpansOptions;
  #count = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: RefusedSpansOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** Never rejects: a span that cannot be kept is let go, or it would hold up all others. */
  async add(span: ReadableSpan, error: Error | undefined): Promise<void> {
    const { folder, clock } = this.#options;
    const refused = { at: new Date(clock()).toISOString(), status: statusOf(error), reason: reasonOf(error) };
    this.#count += 1;
    let told: string = fates.gone;
    let err: unknown;
    if (folder !== undefined) {
      try {
        await this.#keep(refusedFile(folder), `${JSON.stringify({ ...encodeSpans([span]), refused })}\n`);
        told = fates.kept;
      } catch (cause) {
        [told, err] = [fates.unkept, cause];
      }
    }
    this.#tell(told, { err, ...refused, trace: span.spanContext().traceId, span: span.name });
  }

  #tell(told: string, facts: object): void {
    const { folder, clock, log } = this.#options;
    if (clock() - this.#toldAt < tellIntervalMs) return;
    this.#toldAt = clock();
    log.warn({ ...facts, refusedSpans: this.#count, folder }, told);
  }

  async #keep(file: string, line: string): Promise<void> {
    const { maxBytes } = this.#options;
    const bytes = await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
    if (bytes + Buffer.byteLength(line) > maxBytes) {
      throw new RangeError('The file is as large as FLEETBOT_SPANS_MAX_MIB allows: replay it and remove it.');
    }
    await appendFile(file, line, { mode: fileMode });
  }
}

const fates = {
  kept: 'MLflow refuses a span: it stands in refused.jsonl with the reason; "fleetbot traces replay" sends it once MLflow takes it',
  unkept: 'MLflow refuses a span, and it cannot be kept: see that FLEETBOT_SPANS_FOLDER has room',
  gone: 'MLflow refuses a span: it is gone; with FLEETBOT_SPANS_FOLDER it would be kept',
} as const;

/** What the server said, as far as it is text; else what the connection said. */
function reasonOf(error: Error | undefined): string {
  return (bodyOf(error) || error?.message || '').slice(0, maxReasonCharacters);
}
