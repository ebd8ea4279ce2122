import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { AdoptedLife } from './adopted-life.ts';
import { isLife, type LockFile } from './own-life.ts';
import type { Batch } from './segment-reader.ts';

export interface OrphansOptions {
  /** Of the spool. */
  readonly folder: string;
  readonly lockFile: LockFile;
  readonly log: Logger;
}

/** What processes that are gone have left in a spool's folder, as far as this one has taken it over. */
export class Orphans {
  readonly #options: OrphansOptions;
  #lives: AdoptedLife[] = [];

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  /** Spans in them that were not sent. */
  get waiting(): number {
    return this.#lives.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /**
   * Takes over what has no owner any more.
   * @throws what the file system says of the spool's folder
   */
  async adopt(own: string | undefined): Promise<void> {
    const { folder, log } = this.#options;
    const ours = new Set([own, ...this.#lives.map((life) => life.folder)]);
    for (const name of (await readdir(folder)).filter(isLife).toSorted()) {
      const life = join(folder, name);
      if (ours.has(life)) continue;
      try {
        const adopted = await AdoptedLife.of(life, this.#options);
        if (!adopted) continue;
        this.#lives.push(adopted);
        log.info(
          { folder: life, waitingSpans: adopted.waiting },
          'sending the spans of a process that is gone',
        );
      } catch (error) {
        // Whoever was faster has sent and removed it.
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
        log.warn({ err: error, folder: life }, 'the spans of a process that is gone cannot be taken over');
      }
    }
  }

  /** The next spans; undefined where there are none. What is sent whole is removed. */
  async next(): Promise<Batch | undefined> {
    const { log } = this.#options;
    for (;;) {
      const [life] = this.#lives;
      if (!life) return undefined;
      try {
        const batch = await life.next();
        if (batch) return batch;
        await life.remove();
        log.info({ folder: life.folder }, 'the spans of a process that is gone are sent');
      } catch (error) {
        log.warn(
          { err: error, folder: life.folder },
          'the spans of a process that is gone cannot be read; another attempt follows',
        );
        await life.release();
      }
      this.#lives.shift();
    }
  }

  /** Leaves them to another process. */
  async release(): Promise<void> {
    for (const life of this.#lives) await life.release();
  }
}
