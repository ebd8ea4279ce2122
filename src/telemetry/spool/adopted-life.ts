import { readdir, rm, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { CutOffSpans } from './cut-off-spans.ts';
import { countSpans } from './lines.ts';
import { type LockFile, lockOf, type SpoolLock } from './own-life.ts';
import { readPart } from './read-part.ts';
import {
  type Batch,
  bytesPerBatch,
  readCursor,
  type Segment,
  SegmentReader,
  segmentFile,
  segmentNumber,
  whenDone,
} from './segment-reader.ts';

export interface AdoptOptions {
  readonly lockFile: LockFile;
  readonly log: Logger;
}

/** The spans of a process that is gone. */
export class AdoptedLife {
  readonly folder: string;
  readonly #lock: SpoolLock;
  readonly #reader: SegmentReader;
  readonly #cutOff: CutOffSpans;
  #waiting: number;

  private constructor(
    folder: string,
    lock: SpoolLock,
    parts: { reader: SegmentReader; cutOff: CutOffSpans; waiting: number },
  ) {
    this.folder = folder;
    this.#lock = lock;
    this.#reader = parts.reader;
    this.#cutOff = parts.cutOff;
    this.#waiting = parts.waiting;
  }

  /**
   * Takes over what a process has left in its folder; undefined where it is alive, or another one has been faster.
   * @throws what the file system says
   */
  static async of(folder: string, { lockFile, log }: AdoptOptions): Promise<AdoptedLife | undefined> {
    const lock = await lockFile(lockOf(folder));
    if (!lock) return undefined;
    try {
      const segments = await segmentsIn(folder);
      const cursor = await readCursor(folder);
      const cutOff = new CutOffSpans();
      const onLine = cutOff.saw.bind(cutOff);
      const reader = new SegmentReader({ folder, segments, cursor, onLine, log });
      const from = cursor?.segment === segments[0]?.number ? cursor?.offset : 0;
      const waiting = await countIn(folder, segments, from ?? 0);
      return new AdoptedLife(folder, lock, { reader, cutOff, waiting });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Spans that were not sent, as far as they had ended. */
  get waiting(): number {
    return this.#waiting;
  }

  /** First what was not sent, then what the kill cut off; undefined where that was all. */
  async next(): Promise<Batch | undefined> {
    const batch = await this.#reader.next();
    if (batch) {
      return whenDone(batch, (spans) => {
        this.#waiting -= spans;
      });
    }
    const spans = this.#cutOff.take();
    return spans.length === 0 ? undefined : { spans, done: async () => {} };
  }

  /** All of it is sent. */
  async remove(): Promise<void> {
    if (await this.#lock.held()) await rm(this.folder, { recursive: true, force: true });
    await this.release();
  }

  /** Leaves the rest to another process. */
  release(): Promise<void> {
    return this.#lock.release();
  }
}

async function segmentsIn(folder: string): Promise<Segment[]> {
  const numbers = (await readdir(folder)).flatMap((name) => segmentNumber(name) ?? []);
  return Promise.all(
    numbers
      .toSorted((one, other) => one - other)
      .map(async (number) => ({ number, bytes: (await stat(segmentFile(folder, number))).size })),
  );
}

async function countIn(folder: string, segments: readonly Segment[], from: number): Promise<number> {
  let spans = 0;
  let offset = from;
  for (const { number, bytes } of segments) {
    while (offset < bytes) {
      const lines = await readPart(segmentFile(folder, number), offset, bytes, bytesPerBatch);
      for (const { text } of lines) spans += countSpans(text);
      offset = lines.at(-1)?.end ?? bytes;
    }
    offset = 0;
  }
  return spans;
}
