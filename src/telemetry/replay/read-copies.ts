import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { InputError } from '../../fleet/errors.ts';
import { SpanDecoder } from '../spool/decode-spans.ts';
import { readLine } from '../spool/lines.ts';
import { readPart } from '../spool/read-part.ts';
import { bytesPerBatch, spansPerBatch } from '../spool/segment-reader.ts';

/** Copies of spans, and nothing else that a spool or a collector keeps beside them. */
const copyName = /\.jsonl?$/;

/** Where the central collector keeps what it did not let through. */
const forgedFolder = 'forged';

/** Some spans of a copy. */
export interface CopiedSpans {
  readonly spans: readonly ReadableSpan[];
  /** Lines between them that are no OTLP/JSON. */
  readonly unreadable: number;
}

/**
 * The files meant by paths: files as they are, and in folders, also in those in them, all whose names end in
 * `.jsonl` or `.json`; but not what machines forged, unless that folder is named itself.
 * @throws InputError for a path that cannot be read
 */
export async function copiesIn(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      files.push(...((await stat(path)).isDirectory() ? await filesIn(path) : [path]));
    } catch (error) {
      throw new InputError(`${path} cannot be read. See that it exists and that you may read it.`, {
        cause: error,
      });
    }
  }
  return files;
}

/**
 * The spans in files of OTLP/JSON, line by line: what collectors copy, what MLflow refused, what a spool holds. Those
 * that only began are left out, and a file that has gone since, as a spool's do.
 * @param noCopy told of each file that has lines, of which none is OTLP/JSON
 */
export async function* readCopies(
  files: readonly string[],
  noCopy: (file: string) => void = () => {},
): AsyncGenerator<CopiedSpans> {
  for (const file of files) {
    let isCopy = false;
    let isForeign = false;
    const bytes = await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
    for (let at = 0; at < bytes; ) {
      const lines = await readPart(file, at, bytes, bytesPerBatch);
      const spans: ReadableSpan[] = [];
      const decoder = new SpanDecoder();
      let unreadable = lines.length === 0 ? 1 : 0;
      for (const { text, end } of lines) {
        if (spans.length >= spansPerBatch) break;
        const content = readLine(text, decoder);
        isCopy ||= content !== undefined;
        if (content?.kind === 'ended') spans.push(...content.spans);
        else if (!content && text.trim() !== '') unreadable += 1;
        at = end;
      }
      if (lines.length === 0) at = bytes;
      isForeign ||= unreadable > 0;
      yield { spans, unreadable };
    }
    if (isForeign && !isCopy) noCopy(file);
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && copyName.test(entry.name))
    .filter(({ parentPath }) => parentPath === folder || basename(parentPath) !== forgedFolder)
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
