import {
  byPosition,
  type Fact,
  type FactPage,
  type FactReader,
  storedAt,
} from '../../src/fleet/audit/fact.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';

const pageFacts = 2;

/** A ledger in memory, read by time in small pages; every entry is stored at its own time. */
export function memoryFacts(entries: readonly LedgerEntry[]): FactReader & { begin: number | undefined } {
  const facts = (): Fact[] =>
    entries.map((entry, at) => ({ position: `${entry.at}-${at}`, entry })).sort(byPosition);
  return {
    begin: undefined,
    backwards: (before) =>
      pages(
        facts()
          .filter(({ position }) => storedAt(position) < before)
          .reverse(),
      ),
    forwards: (from) => pages(facts().filter(({ position }) => storedAt(position) >= from)),
    async begins() {
      return this.begin;
    },
  };
}

async function* pages(facts: readonly Fact[]): AsyncGenerator<FactPage> {
  for (let at = 0; at < facts.length; at += pageFacts) {
    yield { facts: facts.slice(at, at + pageFacts), unreadable: 0 };
  }
}
