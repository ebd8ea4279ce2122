import type { Header, LedgerLine } from './ledger-line.ts';

/** What was read of one file of a ledger. */
interface Extent {
  readonly file: string;
  readonly part: number;
  /** The number of the entry with which it goes on from the part before. */
  readonly first: number;
  /** The number that the next entry after it must have. */
  next: number;
}

/** Finds by their numbers the entries that files of an exported ledger lack. */
export class MissingEntries {
  readonly #extents = new Map<number, Extent>();
  /** Of the file that is being read; undefined before its first line that tells. */
  #next: number | undefined;
  #extent: Extent | undefined;

  /** Lines from here on are those of another file. */
  begin(): void {
    this.#next = undefined;
    this.#extent = undefined;
  }

  /** Takes the next line of a file. Returns what is missing before it, in a sentence without its end. */
  take(file: string, line: LedgerLine): string | undefined {
    switch (line.type) {
      case 'header':
        this.#open(file, line);
        return undefined;
      case 'entry':
        return this.#goOn(line.seq, line.seq + 1);
      case 'gap':
        return this.#goOn(line.from, line.to + 1);
      case 'rewound':
        return this.#goOn(line.from + 1, line.to + 1);
      case 'checkpoint':
        return this.#goOn(line.seq + 1, line.seq + 1);
      case 'torn':
        return undefined;
    }
  }

  /** What is missing between the files that were read, in whatever order they were; a sentence each. */
  betweenFiles(): readonly string[] {
    const inOrder = [...this.#extents.values()].sort((a, b) => a.part - b.part);
    return inOrder.flatMap((extent, index) => {
      const before = inOrder[index - 1];
      if (before === undefined || before.next === extent.first) return [];
      const lost = before.next < extent.first ? `: ${entries(before.next, extent.first - 1)}` : '';
      const [one, other] = [`part ${before.part} (${before.file})`, `part ${extent.part} (${extent.file})`];
      return [`Between ${one} and ${other} of the ledger something is missing${lost}.`];
    });
  }

  #open(file: string, { part, next }: Header): void {
    this.#next = next;
    this.#extent = { file, part, first: next, next };
    this.#extents.set(part, this.#extent);
  }

  /** @param expected the number that should have come next */
  #goOn(expected: number, next: number): string | undefined {
    const missedFrom = this.#next ?? expected;
    this.#next = next;
    if (this.#extent !== undefined) this.#extent.next = next;
    return missedFrom < expected ? entries(missedFrom, expected - 1) : undefined;
  }
}

function entries(from: number, to: number): string {
  return from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`;
}
