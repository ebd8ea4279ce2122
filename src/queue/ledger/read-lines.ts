import { createReadStream } from 'node:fs';

const lineFeed = 0x0a;

/** One line of a file. */
export interface FileLine {
  /** Counts from 1. */
  readonly number: number;
  /** Without the line feed. */
  readonly bytes: Buffer;
  /** Where the next line begins, in bytes. */
  readonly end: number;
  /** False for what stands at the file's end without a line feed. */
  readonly whole: boolean;
}

/**
 * The lines of a file as bytes: nothing is decoded, and only a line feed ends a line.
 * @throws what opening and reading the file throws
 */
export async function* readLines(file: string): AsyncGenerator<FileLine> {
  let pieces: Buffer[] = [];
  let number = 0;
  let end = 0;
  const next = (whole: boolean): FileLine => {
    const bytes = Buffer.concat(pieces);
    pieces = [];
    number += 1;
    end += bytes.length + (whole ? 1 : 0);
    return { number, bytes, end, whole };
  };
  const chunks: AsyncIterable<Buffer> = createReadStream(file);
  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(lineFeed); to >= 0; to = chunk.indexOf(lineFeed, from)) {
      pieces.push(chunk.subarray(from, to));
      yield next(true);
      from = to + 1;
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  }
  if (pieces.length > 0) yield next(false);
}
