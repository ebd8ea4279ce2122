import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Logger } from 'pino';
import { compareFleets } from '../fleet/compare-fleets.ts';
import { FleetFileError, type FleetFileProblem, problemLine } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { type ReadFleet, readFleet } from '../fleet/load-fleet.ts';

/** Editors and ConfigMap updates cause several events; the file is read once they have been quiet for this long. */
const defaultQuietMs = 150;

/** How often the file is looked at even without events: some file systems (network, overlay) send none. */
const defaultPollIntervalMs = 10_000;

/** A change of the defaults touches every machine: the log names this many. */
const loggedNames = 20;

export interface FleetFileOptions {
  readonly log: Logger;
  readonly quietMs?: number;
  readonly pollIntervalMs?: number;
}

/**
 * Opens the fleet file and watches it from then on.
 * @throws FleetFileError when the file cannot be read or used now
 */
export async function openFleetFile(path: string, options: FleetFileOptions): Promise<FleetFile> {
  const seen = await stamp(path);
  const text = await readText(path);
  const { fleet, warnings } = readFleet(text, path);
  warn(options.log, path, warnings);
  return new FleetFile(path, fleet, text, seen, options);
}

/**
 * Reads a fleet file once.
 * @throws FleetFileError when it cannot be read or used
 */
export async function readFleetFile(path: string): Promise<Fleet> {
  return (await checkFleetFile(path)).fleet;
}

/**
 * The same, with warnings.
 * @throws FleetFileError like `readFleetFile`
 */
export async function checkFleetFile(path: string): Promise<ReadFleet> {
  return readFleet(await readText(path), path);
}

/** The fleet file in force. An invalid or missing file leaves the last valid one in force and says so. */
export class FleetFile {
  readonly #path: string;
  readonly #log: Logger;
  readonly #quietMs: number;
  readonly #poll: NodeJS.Timeout;
  readonly #listeners: ((next: Fleet) => Promise<void>)[] = [];
  #watcher: FSWatcher | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #fleet: Fleet;
  #invalid: FleetFileError | undefined;
  #text: string | undefined;
  /** The file's stamp when it was last looked at. */
  #seen: string;
  #closed = false;

  /** Use `openFleetFile`. */
  constructor(path: string, fleet: Fleet, text: string, seen: string, options: FleetFileOptions) {
    this.#path = path;
    this.#log = options.log;
    this.#quietMs = options.quietMs ?? defaultQuietMs;
    this.#fleet = fleet;
    this.#text = text;
    this.#seen = seen;
    this.#watch();
    this.#poll = setInterval(() => void this.#look(), options.pollIntervalMs ?? defaultPollIntervalMs);
    this.#poll.unref();
  }

  /** The last valid content of the file. */
  current(): Fleet {
    return this.#fleet;
  }

  /** Why the file as it is now cannot be used; undefined while it is the one in force. */
  invalid(): FleetFileError | undefined {
    return this.#invalid;
  }

  /** Waits for the callback before another content comes into force. */
  beforeChange(callback: (next: Fleet) => Promise<void>): void {
    this.#listeners.push(callback);
  }

  /** Stops watching. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watcher?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#quiet);
    await this.#reading;
  }

  /** Watches the directory, not the file: a rename or a ConfigMap's symlink swap puts another file there. */
  #watch(): void {
    try {
      this.#watcher = watch(dirname(resolve(this.#path)), { persistent: false }, () => void this.#look());
      this.#watcher.on('error', (error) => this.#unwatched(error));
    } catch (error) {
      this.#unwatched(error);
    }
  }

  #unwatched(error: unknown): void {
    this.#watcher?.close();
    this.#log.warn({ err: error, file: this.#path }, 'cannot watch the fleet file; it is only polled');
  }

  /** Events of other files in the directory must not put the reading off for ever. */
  async #look(): Promise<void> {
    const now = await stamp(this.#path);
    if (now === this.#seen || this.#closed) return;
    this.#seen = now;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      this.#reading = this.#reading.then(() => this.#read());
    }, this.#quietMs);
    this.#quiet.unref();
  }

  async #read(): Promise<void> {
    let text: string | undefined;
    try {
      text = await readText(this.#path);
      if (text === this.#text || this.#closed) return;
      const { fleet: next, warnings } = readFleet(text, this.#path);
      for (const listener of this.#listeners) await listener(next);
      const change = compareFleets(this.#fleet, next);
      this.#fleet = next;
      this.#invalid = undefined;
      this.#log.info(
        {
          file: this.#path,
          accessChanged: change.accessChanged,
          actionsChanged: change.actionsChanged,
          signalsChanged: change.signalsChanged,
          costsChanged: change.costsChanged,
          ...{ added: some(change.added), removed: some(change.removed), changed: some(change.changed) },
        },
        'a new fleet file is in force',
      );
      warn(this.#log, this.#path, warnings);
    } catch (error) {
      if (text === undefined && this.#text === undefined) return;
      this.#log.error(
        { err: error, file: this.#path },
        'the new fleet file cannot be used; the old one stays',
      );
      if (error instanceof FleetFileError) this.#invalid = error;
    } finally {
      this.#text = text;
    }
  }
}

function warn(log: Logger, file: string, warnings: readonly FleetFileProblem[]): void {
  if (warnings.length === 0) return;
  const lines = warnings.map((warning) => problemLine(file, warning));
  log.warn({ file, warnings: some(lines) }, 'the fleet file is in force, but some of it can have no effect');
}

function some(names: readonly string[]): readonly string[] {
  const more = names.length - loggedNames;
  return more > 0 ? [...names.slice(0, loggedNames), `and ${more} more`] : names;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const problem = {
      line: 1,
      path: '(file)',
      problem: `cannot be read: ${reason}`,
      cure: 'Put a readable file there',
    };
    throw new FleetFileError(path, [problem], { cause: error });
  }
}

/** Changes whenever the file does, as far as the file system tells. */
async function stamp(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'missing';
  }
}
