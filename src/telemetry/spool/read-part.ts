import { type FileHandle, open } from 'node:fs/promises';

const newline = 0x0a;

/** A line of a file, and where the next one begins. */
export interface PlacedLine {
  readonly text: string;
  readonly end: number;
}

/**
 * Complete lines of a file from a place on: as many as stand in a chunk, and at least one. None: there is no end of a
 * line between the two places.
 */
export async function readPart(
  file: string,
  from: number,
  to: number,
  chunkBytes: number,
): Promise<readonly PlacedLine[]> {
  const handle = await open(file);
  try {
    for (let size = chunkBytes; ; size *= 2) {
      const bytes = await readBytes(handle, from, Math.min(size, to - from));
      const lines = linesOf(bytes, from);
      if (lines.length > 0 || bytes.length < size) return lines;
    }
  } finally {
    await handle.close();
  }
}

/** Fewer than `length` where the file ends before. */
async function readBytes(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function linesOf(bytes: Buffer, from: number): PlacedLine[] {
  const lines: PlacedLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    lines.push({ text: bytes.toString('utf8', start, end), end: from + end + 1 });
    start = end + 1;
  }
  return lines;
}
