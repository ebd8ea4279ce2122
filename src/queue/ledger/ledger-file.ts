import type { KeyObject } from 'node:crypto';
import { access, type FileHandle, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { SettingsError } from '../../fleet/errors.ts';
import type { FileLock } from '../file-lock.ts';
import type { EntryPlace } from './check-chain.ts';
import { keyId, signCheckpoint } from './ledger-key.ts';
import { type Checkpoint, type LedgerLine, ledgerFormat, seal } from './ledger-line.ts';
import { lockLedger } from './ledger-lock.ts';
import type { LedgerExportSettings } from './ledger-settings.ts';
import { type LedgerPlace, putAsideName, recoverLedger } from './recover-ledger.ts';

export interface LedgerFileOptions {
  readonly path: string;
  readonly privateKey: KeyObject;
  /** Stands in the header of a new file; one that goes on keeps its own. */
  readonly exporterName: string;
  readonly settings: LedgerExportSettings;
  readonly clock: () => number;
  readonly log: Logger;
  /** Told of every entry that the file holds already, oldest first. */
  readonly onEntry: (entry: EntryPlace) => void;
}

/** People's questions stand in it: not for everybody's eyes. */
const fileMode = 0o640;

/**
 * The file that the ledger is exported to, open for writing by this process alone. Once a method has thrown,
 * nothing is known of the file's end: close it and open it anew.
 */
export class LedgerFile {
  readonly #options: LedgerFileOptions;
  readonly #lock: FileLock;
  #handle: FileHandle;
  #place: LedgerPlace;
  #checkpointAt: number;

  private constructor(options: LedgerFileOptions, lock: FileLock, handle: FileHandle, place: LedgerPlace) {
    this.#options = options;
    this.#lock = lock;
    this.#handle = handle;
    this.#place = place;
    this.#checkpointAt = options.clock();
  }

  /**
   * Locks the file, checks what is in it, and finds out where it ends.
   * @throws SettingsError when another process has it, it cannot be written, or it is not as fleetbot left it
   */
  static async open(options: LedgerFileOptions): Promise<LedgerFile> {
    const { path, settings, clock, log } = options;
    await using opened = new AsyncDisposableStack();
    try {
      const lock = await lockLedger(path, { voidAfterMs: settings.lockVoidAfterMs, clock, log });
      opened.defer(() => lock.release());
      const handle = await open(path, 'a', fileMode);
      opened.defer(() => handle.close());
      await syncFolder(path);
      const file = new LedgerFile(options, lock, handle, await recoverLedger(handle, options));
      opened.move();
      return file;
    } catch (error) {
      throw whyNotOpened(path, error);
    }
  }

  /** The number that the next entry should have; undefined where any will do. */
  get next(): number | undefined {
    return this.#place.next;
  }

  get exporter(): string {
    return this.#place.exporter;
  }

  /**
   * Appends facts, of which the last one is an entry. They are on disk when it resolves. Returns the checkpoint
   * that came after them, if it was time for one; without facts, that is all that is written.
   */
  async append(facts: readonly LedgerLine[]): Promise<Checkpoint | undefined> {
    const { settings, clock } = this.#options;
    if (facts.length > 0 && this.#place.bytes >= settings.maxBytes) await this.#putAside();
    const isNew = this.#place.bytes === 0;
    // A clock that was set back tells no age.
    const isOld = Math.abs(clock() - this.#checkpointAt) >= settings.checkpointIntervalMs;
    return this.#write(facts, ({ uncovered, bytes }) => {
      const isMany = uncovered >= settings.checkpointEntries || bytes >= settings.maxBytes;
      return uncovered > 0 && (isNew || isOld || isMany);
    });
  }

  /** Signs what is not signed yet. */
  checkpoint(): Promise<Checkpoint | undefined> {
    return this.#write([], ({ uncovered }) => uncovered > 0);
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      await this.#lock.release();
    }
  }

  async #write(
    facts: readonly LedgerLine[],
    isDue: (place: LedgerPlace) => boolean,
  ): Promise<Checkpoint | undefined> {
    let place = this.#place;
    let text = '';
    const add = (line: LedgerLine): void => {
      const sealed = seal(line, place.hash);
      text += sealed.text;
      place = { ...place, hash: sealed.hash, bytes: place.bytes + Buffer.byteLength(sealed.text) };
      if (line.type === 'entry') place = { ...place, next: line.seq + 1, uncovered: place.uncovered + 1 };
    };
    for (const line of [...this.#linesBefore(facts), ...facts]) add(line);
    if (facts.length > 0) place = { ...place, pending: [] };
    const { next = 0, hash: chain } = place;
    const checkpoint = isDue(place)
      ? signCheckpoint({ seq: next - 1, chain, at: this.#options.clock() }, this.#options.privateKey)
      : undefined;
    if (checkpoint) {
      add({ type: 'checkpoint', ...checkpoint });
      place = { ...place, uncovered: 0 };
    }
    if (text === '') return undefined;
    await this.#refuseOthers();
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
    this.#place = place;
    if (checkpoint) this.#checkpointAt = checkpoint.at;
    return checkpoint;
  }

  /** The header of a new file, and what is to be told of the last crash. */
  #linesBefore([first]: readonly LedgerLine[]): readonly LedgerLine[] {
    if (first === undefined) return [];
    const { bytes, part, hash, exporter, pending, next } = this.#place;
    if (bytes > 0) return pending;
    const { privateKey, clock } = this.#options;
    const header: LedgerLine = {
      ...{ type: 'header', format: ledgerFormat, part, exporter, key: keyId(privateKey) },
      previous: part === 1 ? null : hash,
      next: next ?? (first.type === 'entry' ? first.seq : 0),
      at: clock(),
    };
    return [header, ...pending];
  }

  /** A lock can be lost while the process stands still; a file can be moved, removed or written by anybody. */
  async #refuseOthers(): Promise<void> {
    const { path } = this.#options;
    const own = await this.#handle.stat();
    const there = await stat(path).catch(() => undefined);
    const isThere = there?.ino === own.ino && there.dev === own.dev && own.size === this.#place.bytes;
    if (isThere && (await this.#lock.held())) return;
    throw new SettingsError(
      `Somebody else wrote to the ledger file ${path}, moved or removed it, or took its lock. Give every process a FLEETBOT_LEDGER_FILE of its own, and let nobody else touch it.`,
    );
  }

  /** The full file gets a number; the chain goes on in a new one. */
  async #putAside(): Promise<void> {
    const { path } = this.#options;
    const name = putAsideName(path, this.#place.part);
    if (await exists(name)) {
      throw new SettingsError(`The ledger file ${path} is full, but ${name} is in its way. Move that away.`);
    }
    await rename(path, name);
    await this.#handle.close();
    this.#handle = await open(path, 'ax', fileMode);
    await syncFolder(path);
    this.#place = { ...this.#place, part: this.#place.part + 1, bytes: 0 };
  }
}

/** Only then a file that was made or renamed is still there after a power failure. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function whyNotOpened(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error) || error instanceof SettingsError) return error;
  return new SettingsError(
    `The ledger file ${path} cannot be opened (${error.message}). FLEETBOT_LEDGER_FILE must name a file in a folder where this process may write, on a disk with space left.`,
    { cause: error },
  );
}
