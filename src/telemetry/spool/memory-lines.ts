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

  /** All of them, oldest first, also those that are being sent. */
  get lines(): readonly SpoolLine[] {
    return this.#lines;
  }

  /** They are kept elsewhere now, or nowhere: what was being sent stays there, too. */
  clear(): void {
    this.#lines = [];
    this.#bytes = 0;
    this.#spans = 0;
  }

  /** The oldest; undefined where there are none. */
  next(): Batch | undefined {
    const decoder = new SpanDecoder();
    const spans: ReadableSpan[] = [];
    const lines = this.#lines;
    let count = 0;
    let bytes = 0;
    for (const { text } of lines) {
      if (spans.length >= spansPerBatch || bytes >= bytesPerBatch) break;
      bytes += text.length;
      spans.push(...(readLine(text, decoder)?.spans ?? []));
      count += 1;
    }
    if (count === 0) return undefined;
    return {
      spans,
      done: async () => {
        if (lines !== this.#lines) return;
        for (const line of lines.splice(0, count)) {
          this.#bytes -= Buffer.byteLength(line.text);
          this.#spans -= line.spans;
        }
      },
    };
  }
}
