import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { onTestFinished, vi } from 'vitest';
import { newSigningKeyPair } from '../../../src/fleet/signing-key.ts';
import { LedgerExporter } from '../../../src/queue/ledger/ledger-exporter.ts';
import type { LedgerExportSettings } from '../../../src/queue/ledger/ledger-settings.ts';
import { type Verification, verifyLedger } from '../../../src/queue/ledger/verify-ledger.ts';
import { MemoryLedger } from './memory-ledger.ts';

/** What a test of the export needs: a folder, a key, a ledger, and what the log says. */
export class LedgerOnDisk {
  readonly source = new MemoryLedger();
  readonly folder = mkdtempSync(join(tmpdir(), 'fleetbot-ledger-'));
  readonly file = join(this.folder, 'ledger.jsonl');
  readonly keyFile = join(this.folder, 'key.pub');
  readonly key = newSigningKeyPair();
  readonly logged: Record<string, unknown>[] = [];
  readonly log: Logger = pino(
    { level: 'info' },
    { write: (line) => void this.logged.push(JSON.parse(line)) },
  );

  /** Removed at the end of the test. */
  constructor() {
    writeFileSync(this.keyFile, this.key.publicKey);
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  exporter(settings: Partial<LedgerExportSettings> = {}, privateKey = this.key.privateKey): LedgerExporter {
    return new LedgerExporter({
      ...{ source: this.source, file: this.file, privateKey, log: this.log },
      exporterName: 'test',
      clock: Date.now,
      settings: { pollIntervalMs: 5, retryIntervalMs: 5, ...settings },
    });
  }

  /** Exports all that there is, and stops. */
  async export(settings: Partial<LedgerExportSettings> = {}): Promise<void> {
    const exporter = this.exporter(settings);
    await exporter.start();
    await this.caughtUp();
    await exporter.stop();
  }

  /** Resolves once the exporter has told that it has the last entry. */
  async caughtUp(): Promise<void> {
    const last = this.source.entries.at(-1)?.seq;
    await soon(() => {
      if (this.source.told.get('test') !== last) throw new Error('the export is not that far');
    });
  }

  /** The file's lines, each without its line feed. */
  lines(file = this.file): string[] {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  }

  records(file = this.file): Record<string, unknown>[] {
    return this.lines(file).map((line) => JSON.parse(line));
  }

  /** The file and those put aside. */
  files(): string[] {
    const parts = Array.from({ length: 100 }, (_, part) => `${this.file}.${part}`);
    return [...parts, this.file].filter(existsSync);
  }

  verify(options: { checkpoint?: string; partial?: boolean; files?: string[]; keyFile?: string } = {}) {
    return verifyLedger({ files: this.files(), keyFile: this.keyFile, partial: false, ...options });
  }

  append(text: string): void {
    appendFileSync(this.file, text);
  }
}

/** How many findings there are of each kind. */
export function counts({ check }: Verification) {
  const kinds = ['tampering', 'gap', 'rewind', 'torn'] as const;
  return Object.fromEntries(kinds.map((kind) => [kind, check.count(kind)]));
}

/** Waits for a condition; other tests may keep the computer busy. */
export function soon(condition: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(condition, 15_000);
}

/** Nothing was found. */
export const nothing = { tampering: 0, gap: 0, rewind: 0, torn: 0 };
