import type { LedgerLine } from './ledger-line.ts';
import { parseJson } from './ledger-line.ts';
import type { SourceEntry } from './ledger-source.ts';

/**
 * The lines that tell of these entries, and of what happened to their numbers before each: some are missing, or
 * come again because Redis lost what had them.
 * @param next the number that the first entry should have; undefined where any will do
 */
export function factsOf(
  entries: readonly SourceEntry[],
  next: number | undefined,
  at: number,
): readonly LedgerLine[] {
  let expected = next;
  return entries.flatMap(({ seq, position, entry }) => {
    const before: LedgerLine[] = [];
    if (expected !== undefined && seq > expected) {
      before.push({ type: 'gap', from: expected, to: seq - 1, at });
    }
    if (expected !== undefined && seq < expected) {
      before.push({ type: 'rewound', from: expected - 1, to: seq - 1, at });
    }
    expected = seq + 1;
    // What is no JSON was written by somebody else; it is kept as what it is, a text.
    return [...before, { type: 'entry', seq, position, entry: parseJson(entry) ?? entry }];
  });
}
