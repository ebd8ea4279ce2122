import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { SpanDecoder } from './decode-spans.ts';
import { readLine, type SpoolLine } from './lines.ts';
import { type Batch, bytesPerBatch, spansPerBatch } from './segment-reader.ts';

/** Lines of spans that end with this process. */
export class MemoryLines {
  readonly #maxBytes: number;
  #lines: SpoolLine[] = [];
  #bytes = 0;
  #spans = 0;
  #sending = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Spans in them. */
  get spans(): number {
    return this.#spans;
  }

  /** Returns how many spans found no place. */
  add(lines: readonly SpoolLine[]): number {
    let dropped = 0;
    for (const line of lines) {
      const bytes = this.#bytes + Buffer.byteLength(line.text);
      if (dropped > 0 || bytes > this.#maxBytes) dropped += line.spans;
      else {
        this.#lines.push(line);
        this.#bytes = bytes;
        this.#spans += line.spans;
      }
    }
    return dropped;
  }

  /** What could be put elsewhere: nothing while some are being sent. */
  get movable(): readonly SpoolLine[] | undefined {
    return this.#sending ? undefined : this.#lines;
  }

  /** They are kept elsewhere now. */
  clear(): void {
    this.#lines = [];
    this.#bytes = 0;
    this.#spans = 0;
  }

  /** The oldest; undefined where there are none. */
  next(): Batch | undefined {
    const decoder = new SpanDecoder();
    const spans: ReadableSpan[] = [];
    let count = 0;
    let bytes = 0;
    for (const { text } of this.#lines) {
      if (spans.length >= spansPerBatch || bytes >= bytesPerBatch) break;
      bytes += text.length;
      spans.push(...(readLine(text, decoder)?.spans ?? []));
      count += 1;
    }
    if (count === 0) return undefined;
    this.#sending = true;
    return {
      spans,
      done: async () => {
        this.#sending = false;
        for (const line of this.#lines.splice(0, count)) {
          this.#bytes -= Buffer.byteLength(line.text);
          this.#spans -= line.spans;
        }
      },
    };
  }
}
