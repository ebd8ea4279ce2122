import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { openedLine, type SpoolLine } from './lines.ts';
import { type Batch, type Segment, SegmentReader, segmentFile, whenDone } from './segment-reader.ts';

/** What runs show: not for everybody's eyes. */
const [folderMode, fileMode] = [0o750, 0o640];

/** Keeps a folder for one process. */
export interface SpoolLock {
  /** Whether it is still ours. */
  held(): Promise<boolean>;
  release(): Promise<void>;
}

/** Locks by a file; undefined where another process that is alive has it. */
export type LockFile = (path: string) => Promise<SpoolLock | undefined>;

export interface OwnLifeOptions {
  /** Of the whole spool. */
  readonly folder: string;
  readonly lockFile: LockFile;
  /** What is put aside and removed at a time. */
  readonly segmentBytes: number;
  readonly clock: () => number;
  readonly log: Logger;
}

const lifeName = /^life-\d+-[0-9a-f-]{36}$/;

/** Whether this is the name of what a process keeps in a spool. */
export function isLife(name: string): boolean {
  return lifeName.test(name);
}

export function lockOf(life: string): string {
  return join(life, 'lock');
}

/** The spans of this process on disk: written in the order in which they end, read in the same one. */
export class OwnLife {
  readonly folder: string;
  readonly #options: OwnLifeOptions;
  readonly #lock: SpoolLock;
  readonly #segments: (Segment & { bytes: number })[] = [];
  readonly #reader: SegmentReader;
  #descriptor: number | undefined;
  #number = 0;
  #waiting = 0;
  #open = 0;

  private constructor(options: OwnLifeOptions, folder: string, lock: SpoolLock) {
    this.folder = folder;
    this.#options = options;
    this.#lock = lock;
    this.#reader = new SegmentReader({ folder, segments: this.#segments, log: options.log });
  }

  /** @throws what the file system says where the folder cannot be made */
  static async open(options: OwnLifeOptions): Promise<OwnLife> {
    for (;;) {
      const folder = join(options.folder, `life-${options.clock()}-${randomUUID()}`);
      await mkdir(folder, { recursive: true, mode: folderMode });
      const lock = await options.lockFile(lockOf(folder));
      // Another process may have taken a folder without a lock for an orphan.
      if (lock) return new OwnLife(options, folder, lock);
    }
  }

  /** On disk. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Spans that were written and not sent. */
  get waiting(): number {
    return this.#waiting;
  }

  isOurs(): Promise<boolean> {
    return this.#lock.held();
  }

  /**
   * Writes, all or nothing, lines of spans that ended, and which ones have begun. A segment begins with all that are
   * open, because those before it will be gone.
   * @throws what the file system says
   */
  append(lines: readonly SpoolLine[], begun: readonly ReadableSpan[], open: readonly ReadableSpan[]): void {
    this.#open = open.length;
    const last = this.#segments.at(-1);
    if (last && last.bytes >= this.#options.segmentBytes) this.#leaveSegment();
    const marked = this.#descriptor === undefined ? open : begun;
    const marks = marked.length > 0 ? [openedLine(marked)] : [];
    // An end follows its begin.
    const bytes = Buffer.from([...marks, ...lines].map(({ text }) => text).join(''));
    if (bytes.length > 0) this.#write(bytes);
    for (const { spans } of lines) this.#waiting += spans;
  }

  async next(): Promise<Batch | undefined> {
    const batch = await this.#reader.next();
    return (
      batch &&
      whenDone(batch, (spans) => {
        this.#waiting -= spans;
      })
    );
  }

  /** Lets go of the folder. What was not sent, or has not ended, stays there for another process. */
  async close(): Promise<void> {
    this.#leaveSegment();
    const isDone = this.#waiting === 0 && this.#open === 0;
    if (isDone && (await this.#lock.held())) await rm(this.folder, { recursive: true, force: true });
    await this.#lock.release();
  }

  #write(bytes: Buffer): void {
    this.#descriptor ??= this.#enterSegment();
    const segment = this.#segments.at(-1);
    if (!segment) throw new RangeError('a spool is written without a segment (a bug)');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
      segment.bytes += bytes.length;
    } catch (error) {
      this.#tidy(segment, this.#descriptor);
      throw error;
    }
  }

  #enterSegment(): number {
    const descriptor = openSync(segmentFile(this.folder, this.#number + 1), 'a', fileMode);
    this.#number += 1;
    this.#segments.push({ number: this.#number, bytes: 0 });
    return descriptor;
  }

  #leaveSegment(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** A full disk may have torn the last line. What comes later goes to another segment. */
  #tidy(segment: Segment, descriptor: number): void {
    this.#descriptor = undefined;
    try {
      ftruncateSync(descriptor, segment.bytes);
    } catch {
      // The disk is gone: the reader stops at what is known to be whole.
    }
    closeSync(descriptor);
    if (segment.bytes > 0) return;
    this.#segments.pop();
    rmSync(segmentFile(this.folder, segment.number), { force: true });
  }
}
