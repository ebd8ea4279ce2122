import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Failure, toFailure } from '../../fleet/errors.ts';
import { readSigningKey } from '../../fleet/signing-key.ts';
import { factsOf } from './facts-of.ts';
import { LedgerFile } from './ledger-file.ts';
import type { Checkpoint, LedgerLine } from './ledger-line.ts';
import { type LedgerExportSettings, ledgerExportDefaults } from './ledger-settings.ts';
import type { LedgerSource, SourceEntry } from './ledger-source.ts';
import { RecentEntries } from './recent-entries.ts';

export interface LedgerExporterOptions {
  readonly source: LedgerSource;
  /** Path of the file. */
  readonly file: string;
  /** Ed25519, PEM. */
  readonly privateKey: string;
  /** How a new file is called where it is told what was exported; a file that is there keeps its name. */
  readonly exporterName: string;
  readonly log: Logger;
  readonly clock: () => number;
  /** What differs from `ledgerExportDefaults`. */
  readonly settings?: Partial<LedgerExportSettings>;
}

/** How far the export is. */
export interface LedgerExportStatus {
  /** The last entry on disk; undefined before the first, and while the file is not open. */
  readonly seq: number | undefined;
  /** The last checkpoint of this process. */
  readonly checkpoint: Checkpoint | undefined;
  /** Why nothing is exported at the moment. */
  readonly failure: Failure | undefined;
}

/**
 * Copies the ledger to a file, entry by entry, from `start` to `stop`. Nobody waits for it: what fails meanwhile is
 * logged and tried again, and the entries stay in Redis until then.
 */
export class LedgerExporter {
  readonly #options: LedgerExporterOptions;
  readonly #settings: LedgerExportSettings;
  readonly #privateKey: KeyObject;
  readonly #recent: RecentEntries;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #file: LedgerFile | undefined;
  /** Of the file's last entry; '' before the first. */
  #position = '';
  /** The last entry of which the source was told. */
  #told: number | undefined;
  #checkpoint: Checkpoint | undefined;
  #failure: Failure | undefined;

  /** @throws SettingsError when the key cannot be used */
  constructor(options: LedgerExporterOptions) {
    this.#options = options;
    this.#settings = { ...ledgerExportDefaults, ...options.settings };
    this.#privateKey = readSigningKey(options.privateKey, 'ledger');
    this.#recent = new RecentEntries(this.#settings.rememberedEntries);
  }

  /**
   * Opens the file and begins. Where another process has the file, it cannot be written, or it is not as fleetbot
   * left it, that is logged, told by `status` and tried again: a full disk must not keep the brake from working.
   */
  async start(): Promise<void> {
    const firstMs = await this.#open().then(
      () => 0,
      (error: unknown) => this.#failed(error),
    );
    this.#running = this.#run(firstMs, this.#stopping.signal);
  }

  /** Signs what was exported, and closes the file. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    try {
      this.#tellCheckpoint(await this.#file?.checkpoint());
    } finally {
      await this.#close();
    }
  }

  status(): LedgerExportStatus {
    return { seq: this.#lastSeq(), checkpoint: this.#checkpoint, failure: this.#failure };
  }

  async #run(firstMs: number, signal: AbortSignal): Promise<void> {
    for (let waitMs = firstMs; ; ) {
      if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      waitMs = await this.#step().catch((error: unknown) => this.#failed(error));
    }
  }

  /** Exports what has come. Returns how long to wait before the next step. */
  async #step(): Promise<number> {
    const { source } = this.#options;
    const file = this.#file ?? (await this.#open());
    const entries = await this.#read();
    await this.#append(file, entries);
    const seq = this.#lastSeq();
    if (seq !== undefined && seq !== this.#told) {
      await source.exported(file.exporter, seq);
      this.#told = seq;
    }
    if (this.#failure) this.#options.log.info('the ledger is exported again');
    this.#failure = undefined;
    return entries.length < this.#settings.batchEntries ? this.#settings.pollIntervalMs : 0;
  }

  /** What comes after the last entry that was exported, which must still be where it was. */
  async #read(): Promise<readonly SourceEntry[]> {
    const position = this.#position;
    const entries = await this.#options.source.read(position, this.#settings.batchEntries + 1);
    if (position === '') return entries;
    const [last, ...newer] = entries;
    return last !== undefined && this.#recent.has(last) ? newer : this.#readAnew();
  }

  /**
   * Redis lost its last entries. Where another server took over whose clock is behind, it may have given the new
   * ones positions before those of the lost ones: everything since the oldest entry that is remembered is looked at
   * again.
   */
  async #readAnew(): Promise<readonly SourceEntry[]> {
    let from = this.#recent.oldest;
    for (;;) {
      const entries = await this.#options.source.read(from, this.#settings.batchEntries + 1);
      const unknown = entries.filter((entry) => !this.#recent.has(entry));
      const last = entries.at(-1);
      if (unknown.length > 0 || last === undefined) return unknown;
      if (last.position === from) {
        // The last that is left of what was exported: what comes anew comes after it.
        this.#position = from;
        return [];
      }
      from = last.position;
    }
  }

  async #append(file: LedgerFile, entries: readonly SourceEntry[]): Promise<void> {
    const { clock, log } = this.#options;
    const facts = factsOf(entries, file.next, clock());
    try {
      this.#tellCheckpoint(await file.append(facts));
    } catch (error) {
      // How much of it was written is not known: the file is opened anew, which finds out.
      await this.#close().catch((closing: unknown) => log.warn({ err: closing }, 'closing the ledger file'));
      throw error;
    }
    for (const entry of entries) this.#remember(entry);
    for (const fact of facts) this.#warnOf(fact);
  }

  async #open(): Promise<LedgerFile> {
    const { file: path, exporterName, clock, log } = this.#options;
    this.#position = '';
    this.#file = await LedgerFile.open({
      ...{ path, exporterName, clock, log, settings: this.#settings, privateKey: this.#privateKey },
      onEntry: (entry) => this.#remember(entry),
    });
    return this.#file;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #remember(entry: { readonly position: string; readonly seq: number }): void {
    this.#recent.add(entry);
    this.#position = entry.position;
  }

  #lastSeq(): number | undefined {
    const next = this.#file?.next;
    return next === undefined ? undefined : next - 1;
  }

  #tellCheckpoint(checkpoint: Checkpoint | undefined): void {
    if (checkpoint === undefined) return;
    this.#checkpoint = checkpoint;
    // Whoever keeps this line elsewhere can show later that the file was not cut.
    this.#options.log.info({ file: this.#options.file, ...checkpoint }, 'ledger checkpoint');
  }

  #warnOf(fact: LedgerLine): void {
    if (fact.type !== 'gap' && fact.type !== 'rewound') return;
    const { from, to } = fact;
    this.#options.log.warn(
      { file: this.#options.file, from, to },
      fact.type === 'gap'
        ? 'entries of the ledger were gone before they could be exported'
        : 'Redis lost entries of the ledger that were exported; their numbers come again',
    );
  }

  #failed(error: unknown): number {
    const failure = toFailure(error);
    // Not with every attempt.
    if (failure.message !== this.#failure?.message) {
      this.#options.log.error({ err: error }, 'the ledger cannot be exported; trying again');
    }
    this.#failure = failure;
    return this.#settings.retryIntervalMs;
  }
}
