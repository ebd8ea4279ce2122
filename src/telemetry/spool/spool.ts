import type { Logger } from 'pino';
import { endedLines, type SpoolLine } from './lines.ts';
import { MemoryLines } from './memory-lines.ts';
import { Orphans } from './orphans.ts';
import { type LockFile, OwnLife } from './own-life.ts';
import type { Batch } from './segment-reader.ts';
import type { Turn } from './span-recorder.ts';
import { spoolBytes } from './spool-bytes.ts';
import { SpoolTrouble } from './spool-trouble.ts';

/** What waits in memory, where there is no folder or it cannot be written. */
const memoryMaxBytes = 64 * 1024 * 1024;

/** A segment takes at most this part of the room: what was sent of it is given back once it is left. */
const segmentShare = 1 / 8;
const segmentMaxBytes = 4 * 1024 * 1024;

/** How long a disk that failed is left alone. */
const diskRetryMs = 5_000;

/** How often the folder is measured, at most, while it is full: others may have given back room. */
const measureIntervalMs = 1_000;

/** Where spans are kept until MLflow has them. */
export interface SpoolFolder {
  /** Lasts longer than the process; others of the same host may use it, too. */
  readonly folder: string;
  readonly maxBytes: number;
  readonly lockFile: LockFile;
}

export interface SpoolOptions {
  /** Absent: they wait in memory. */
  readonly disk?: SpoolFolder | undefined;
  readonly clock: () => number;
  readonly log: Logger;
}

/**
 * Spans that wait for MLflow, oldest first: on disk, where there is a folder, and in memory where there is none or it
 * cannot be written. What processes that are gone left in the folder comes before all else.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #memory = new MemoryLines(memoryMaxBytes);
  readonly #orphans: Orphans | undefined;
  readonly #trouble: SpoolTrouble;
  #own: OwnLife | undefined;
  /** In the folder, besides this process's own. */
  #foreignBytes = 0;
  #measuredAt = 0;
  #lost = 0;
  #retryDiskAt = 0;
  #looking: Promise<void> | undefined;

  constructor(options: SpoolOptions) {
    this.#options = options;
    const { disk, log } = options;
    this.#trouble = new SpoolTrouble(log, disk?.folder);
    this.#orphans = disk && new Orphans({ folder: disk.folder, lockFile: disk.lockFile, log });
  }

  /** Spans that were taken in, here or by those that are gone, and were not sent. */
  get waiting(): number {
    return (this.#orphans?.waiting ?? 0) + (this.#own?.waiting ?? 0) + this.#memory.spans;
  }

  /** Spans that found no place. */
  get lost(): number {
    return this.#lost;
  }

  /** Makes this process's part of the folder. Where it cannot, spans wait in memory until it can. Never rejects. */
  async open(): Promise<void> {
    const { disk, clock, log } = this.#options;
    if (!disk) return;
    try {
      const segmentBytes = Math.min(disk.maxBytes * segmentShare, segmentMaxBytes);
      const { folder, lockFile } = disk;
      this.#own = await OwnLife.open({ folder, lockFile, segmentBytes, clock, log });
    } catch (error) {
      this.#tell('broken', error);
    }
  }

  /** Takes in what a turn brought, with one write. Never throws. */
  append(turn: Turn): void {
    try {
      const lines = endedLines(turn.ended);
      if (!this.#toDisk(lines, turn)) this.#drop(this.#memory.add(lines));
    } catch (error) {
      this.#lost += turn.ended.length;
      this.#options.log.warn(
        { err: error, lostSpans: turn.ended.length },
        'spans are lost: they cannot be written as JSON',
      );
    }
  }

  /** The next spans to send; undefined where there are none at the moment. */
  async next(): Promise<Batch | undefined> {
    return (await this.#orphans?.next()) ?? (await this.#own?.next()) ?? this.#memory.next();
  }

  /**
   * Looks after the folder: measures it, sees that this process has its part of it, and takes over the parts of
   * those that are gone. Never rejects.
   */
  lookAfter(): Promise<void> {
    this.#looking ??= this.#lookAfter().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Lets go of the folder. Spans in it stay there for another process; those in memory are lost. Never rejects. */
  async close(): Promise<void> {
    await this.#looking;
    const { disk, log } = this.#options;
    const lostSpans = this.#memory.spans;
    this.#memory.clear();
    this.#lost += lostSpans;
    if (lostSpans > 0) log.warn({ lostSpans }, 'the last spans are lost: MLflow did not take them in time');
    const { waiting: waitingSpans } = this;
    if (waitingSpans > 0) {
      log.warn(
        { folder: disk?.folder, waitingSpans },
        'MLflow has not taken all spans: the rest stays in the folder, and is sent by the next fleetbot that uses it',
      );
    }
    try {
      await this.#own?.close();
      await this.#orphans?.release();
    } catch (error) {
      this.#tell('broken', error);
    }
  }

  /** Returns whether nothing of it is to be kept in memory. What waits there goes first. */
  #toDisk(lines: readonly SpoolLine[], { ended, begun, open }: Turn): boolean {
    const { disk, clock } = this.#options;
    if (!disk || !this.#own || clock() < this.#retryDiskAt) return false;
    if (this.#own.bytes + this.#foreignBytes >= disk.maxBytes) {
      if (clock() >= this.#measuredAt + measureIntervalMs) void this.#measure(disk.folder);
      this.#drop(ended.length);
      return true;
    }
    try {
      this.#own.append([...this.#memory.lines, ...lines], begun, open);
    } catch (error) {
      this.#retryDiskAt = clock() + diskRetryMs;
      this.#tell('broken', error);
      return false;
    }
    this.#memory.clear();
    this.#trouble.isOver(this.#lost);
    return true;
  }

  async #lookAfter(): Promise<void> {
    const { disk, log } = this.#options;
    if (!disk) return;
    try {
      if (this.#own && !(await this.#own.isOurs())) {
        log.warn(
          { folder: this.#own.folder },
          'another process took over the spans of this one, which stood still',
        );
        await this.#own.close();
        this.#own = undefined;
      }
      if (!this.#own) await this.open();
      await this.#orphans?.adopt(this.#own?.folder);
      await this.#measure(disk.folder);
    } catch (error) {
      this.#tell('broken', error);
    }
  }

  async #measure(folder: string): Promise<void> {
    this.#measuredAt = this.#options.clock();
    this.#foreignBytes = (await spoolBytes(folder)) - (this.#own?.bytes ?? 0);
  }

  #drop(spans: number): void {
    if (spans === 0) return;
    this.#lost += spans;
    this.#tell('full');
  }

  #tell(trouble: 'broken' | 'full', error?: unknown): void {
    this.#trouble.tell(trouble, this.waiting, error);
  }
}
