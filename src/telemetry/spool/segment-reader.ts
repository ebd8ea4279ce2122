import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import { SpanDecoder } from './decode-spans.ts';
import { type LineContent, readLine } from './lines.ts';
import { readPart } from './read-part.ts';

/**
 * What is sent at a time: so many spans, or so many bytes of their lines, and at least one line. MLflow takes about 2 ms
 * for a span of a trace of its own.
 */
export const spansPerBatch = 256;
export const bytesPerBatch = 1024 * 1024;

/** A file of lines. */
export interface Segment {
  readonly number: number;
  /** That can be read: what stands after them is torn. */
  readonly bytes: number;
}

/** Spans to send at once. */
export interface Batch {
  readonly spans: readonly ReadableSpan[];
  /** They need not be sent again. */
  done(): Promise<void>;
}

/** The same batch; `then` is called with the number of its spans once they are done. */
export function whenDone(batch: Batch, then: (spans: number) => void): Batch {
  const done = async () => {
    await batch.done();
    then(batch.spans.length);
  };
  return { spans: batch.spans, done };
}

const cursorSchema = z.object({ segment: z.int(), offset: z.int() });
type Cursor = z.infer<typeof cursorSchema>;

export interface SegmentReaderOptions {
  readonly folder: string;
  /** Oldest first; those that are read are taken out, except the last. */
  readonly segments: Segment[];
  /** What was sent in another life. */
  readonly cursor?: Cursor | undefined;
  /** Told of every line, also of those that were sent in another life. */
  readonly onLine?: (line: LineContent) => void;
  readonly log: Logger;
}

const cursorName = 'cursor';
const segmentName = /^(\d{6})\.jsonl$/;
const numberDigits = 6;

export function segmentFile(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(numberDigits, '0')}.jsonl`);
}

/** The number in the name of a segment; undefined for other files. */
export function segmentNumber(name: string): number | undefined {
  const [, digits] = segmentName.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Up to where the spans in a folder have been sent; undefined where nothing tells. */
export async function readCursor(folder: string): Promise<Cursor | undefined> {
  const text = await readFile(join(folder, cursorName), 'utf8').catch(() => '');
  return cursorSchema.safeParse(parseJson(text)).data;
}

/** Reads the segments of a folder once, from the first to the last, and remembers on disk what has been sent. */
export class SegmentReader {
  readonly #options: SegmentReaderOptions;
  #offset = 0;
  #saveFails = false;

  constructor(options: SegmentReaderOptions) {
    this.#options = options;
  }

  /** The next spans; undefined where there are none at the moment. */
  async next(): Promise<Batch | undefined> {
    for (;;) {
      const segment = await this.#segment();
      if (!segment) return undefined;
      const spans = await this.#read(segment);
      const place = { segment: segment.number, offset: this.#offset };
      if (spans.length > 0) return { spans, done: () => this.#save(place) };
    }
  }

  /** The segment to read on in. */
  async #segment(): Promise<Segment | undefined> {
    const { folder, segments } = this.#options;
    for (;;) {
      const [segment, following] = segments;
      if (!segment || this.#offset < segment.bytes) return segment;
      if (!following) return undefined;
      await rm(segmentFile(folder, segment.number), { force: true });
      segments.shift();
      this.#offset = 0;
    }
  }

  async #read({ number, bytes }: Segment): Promise<ReadableSpan[]> {
    const { folder, onLine, log } = this.#options;
    const file = segmentFile(folder, number);
    const decoder = new SpanDecoder();
    const spans: ReadableSpan[] = [];
    const lines = await readPart(file, this.#offset, bytes, bytesPerBatch);
    if (lines.length === 0) {
      log.warn({ file, bytes: bytes - this.#offset }, 'the last line of the spool was torn: it is left out');
      this.#offset = bytes;
    }
    for (const { text, end } of lines) {
      if (spans.length >= spansPerBatch) break;
      const content = readLine(text, decoder);
      if (!content) log.warn({ file, before: end }, 'a line of the spool cannot be read: it is left out');
      else {
        onLine?.(content);
        if (content.kind === 'ended' && !this.#wasSent(number, end)) spans.push(...content.spans);
      }
      this.#offset = end;
    }
    return spans;
  }

  #wasSent(segment: number, end: number): boolean {
    const { cursor } = this.#options;
    return cursor !== undefined && cursor.segment === segment && end <= cursor.offset;
  }

  async #save(cursor: Cursor): Promise<void> {
    const file = join(this.#options.folder, cursorName);
    try {
      await writeFile(`${file}.new`, JSON.stringify(cursor));
      await rename(`${file}.new`, file);
      this.#saveFails = false;
    } catch (error) {
      if (this.#saveFails) return;
      this.#saveFails = true;
      this.#options.log.warn(
        { err: error, file },
        'cannot note which spans are sent: after a kill some are sent again',
      );
    }
  }
}
