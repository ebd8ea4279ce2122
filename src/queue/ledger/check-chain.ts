import type { KeyObject } from 'node:crypto';
import { isSigned, keyId } from './ledger-key.ts';
import {
  type Checkpoint,
  genesisHash,
  type Header,
  type LedgerLine,
  type ReadLine,
  readLine,
} from './ledger-line.ts';
import { readLines } from './read-lines.ts';

/**
 * What a check finds. `tampering`: the file is not as it was written. `gap`: entries that never reached it.
 * `rewind`, `torn`: what a crash left, and nothing is missing for it.
 */
export type FindingKind = 'tampering' | 'gap' | 'rewind' | 'torn';

export interface ChainFinding {
  readonly kind: FindingKind;
  /** Where, and what; for people. */
  readonly text: string;
}

/** Findings of each kind that are kept with their text; of the rest only the number is known. */
const keptPerKind = 20;

/** An entry's place, as the check passes it on. */
export interface EntryPlace {
  readonly position: string;
  readonly seq: number;
}

/** Checks the files of a ledger, one after the other: the chain, the signatures, and the order of the entries. */
export class ChainCheck {
  readonly #publicKey: KeyObject;
  readonly #onEntry: (entry: EntryPlace) => void;
  readonly #onCheckpoint: (checkpoint: Checkpoint) => void;
  readonly #counts: Record<FindingKind, number> = { tampering: 0, gap: 0, rewind: 0, torn: 0 };
  readonly findings: ChainFinding[] = [];
  /** The id of the key that must have signed. */
  readonly keyId: string;
  /** Of the last file that was checked; undefined where none had one. */
  header: Header | undefined;
  /** The hash of the last line; undefined after a line that could not be read. */
  hash: string | undefined = genesisHash;
  /** The number that the next entry must have. */
  next = 0;
  /** Of the first entry that was expected. */
  firstSeq: number | undefined;
  entries = 0;
  checkpoints = 0;
  /** Entries after the last checkpoint. */
  uncovered = 0;
  /** The last checkpoint before anything that was tampered with: what was proved. */
  proved: Checkpoint | undefined;
  /** Bytes of whole lines in the last file. */
  wholeBytes = 0;
  /** What stands after them. */
  unfinished: Buffer | undefined;
  #file = '';
  #line = 0;

  constructor(
    publicKey: KeyObject,
    told: {
      readonly onEntry?: (entry: EntryPlace) => void;
      readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
    } = {},
  ) {
    this.#publicKey = publicKey;
    this.keyId = keyId(publicKey);
    this.#onEntry = told.onEntry ?? (() => {});
    this.#onCheckpoint = told.onCheckpoint ?? (() => {});
  }

  count(kind: FindingKind): number {
    return this.#counts[kind];
  }

  /** Adds a finding. */
  find(kind: FindingKind, text: string): void {
    this.#counts[kind] += 1;
    if (this.#counts[kind] <= keptPerKind) this.findings.push({ kind, text });
  }

  /**
   * Checks one more file. What the first one goes on from is believed; every other must go on from the one before.
   * A line that is not finished is left in `unfinished`.
   * @throws what reading the file throws
   */
  async checkFile(file: string): Promise<void> {
    if (this.unfinished !== undefined) this.#findHere('tampering', 'is the last line and not finished');
    this.#file = file;
    this.#line = 0;
    this.wholeBytes = 0;
    this.unfinished = undefined;
    for await (const { number, bytes, end, whole } of readLines(file)) {
      this.#line = number;
      if (!whole) {
        this.unfinished = bytes;
        return;
      }
      this.#take(readLine(bytes));
      this.wholeBytes = end;
    }
  }

  #take(read: ReadLine | undefined): void {
    const isFirst = this.#line === 1;
    if (read === undefined) {
      this.#findHere('tampering', 'is no line of a ledger');
      this.hash = undefined;
      return;
    }
    const { line, hash } = read;
    if ((line.type === 'header') !== isFirst) this.#findHere('tampering', whyNotHere(isFirst));
    if (line.type === 'header') this.#takeHeader(line);
    if (this.hash !== undefined && !read.follows(this.hash)) {
      this.#findHere('tampering', 'was changed, or lines before it were changed, removed or added');
    }
    this.#takeFact(line);
    this.hash = hash;
  }

  #takeHeader(header: Header): void {
    const before = this.header;
    this.header = header;
    if (header.key !== this.keyId) {
      this.#findHere('tampering', `says that another key signs (${header.key})`);
    }
    if (before === undefined) {
      this.hash = header.previous ?? genesisHash;
      this.next = header.next;
      this.firstSeq = header.next;
      return;
    }
    if (header.part !== before.part + 1) {
      this.#findHere('tampering', `begins part ${header.part} after part ${before.part}: a file is missing`);
    } else if (header.previous !== this.hash || header.next !== this.next) {
      this.#findHere('tampering', 'does not go on where the file before it ends');
    }
    this.hash = header.previous ?? genesisHash;
    this.next = header.next;
  }

  #takeFact(line: LedgerLine): void {
    switch (line.type) {
      case 'header':
        return;
      case 'entry':
        if (line.seq !== this.next) {
          this.#findHere('tampering', `has the entry ${line.seq} in the place of ${this.next}`);
        }
        this.next = line.seq + 1;
        this.entries += 1;
        this.uncovered += 1;
        this.#onEntry({ position: line.position, seq: line.seq });
        return;
      case 'gap':
        this.#expect(line.from === this.next && line.to >= line.from);
        this.#findHere('gap', `entries ${line.from} to ${line.to} were gone before they could be exported`);
        this.next = line.to + 1;
        return;
      case 'rewound':
        this.#expect(line.from === this.next - 1 && line.to < line.from);
        this.#findHere(
          'rewind',
          `Redis lost the entries ${line.to + 1} to ${line.from}; they stand above, and their numbers come again`,
        );
        this.next = line.to + 1;
        return;
      case 'torn':
        this.#findHere(
          'torn',
          `${line.bytes} bytes of a line that was not finished were removed after a crash`,
        );
        return;
      case 'checkpoint':
        this.#takeCheckpoint(line);
    }
  }

  #takeCheckpoint(checkpoint: Checkpoint): void {
    const here = this.hash === undefined || checkpoint.chain === this.hash;
    this.#expect(here && checkpoint.seq === this.next - 1);
    if (!isSigned(checkpoint, this.#publicKey)) {
      this.#findHere('tampering', 'is a checkpoint that the key did not sign');
      return;
    }
    this.checkpoints += 1;
    if (this.#counts.tampering > 0) return;
    this.proved = checkpoint;
    this.uncovered = 0;
    this.#onCheckpoint(checkpoint);
  }

  #expect(holds: boolean): void {
    if (!holds) this.#findHere('tampering', 'does not fit to the lines before it');
  }

  #findHere(kind: FindingKind, text: string): void {
    this.find(kind, `${this.#file}:${this.#line}: ${text}`);
  }
}

function whyNotHere(isFirst: boolean): string {
  return isFirst ? 'is not the header of a ledger' : 'is a second header';
}
