import type { Period } from '../period.ts';
import { type Deed, Deeds } from './deeds.ts';
import { type Fact, type FactPage, type FactReader, storedAt } from './fact.ts';

/** How much is read for one question, in entries. */
export interface GatherLimits {
  /** Of the period. */
  readonly entries: number;
  /** Before it, and after it, for what its facts belong to. */
  readonly lookedUp: number;
}

/** At most some seconds of reading, and tens of MB; `fleetbot ledger search` has no such limit. */
export const gatherLimits: GatherLimits = { entries: 100_000, lookedUp: 50_000 };

/** A fact's own time and that of the store that keeps it differ by no more than this. */
const clocksApartMs = 60_000;

/** What happened in a period. */
export interface Gathered {
  readonly deeds: readonly Deed[];
  /** The period was read back to this moment only: there was more than the limit. */
  readonly readBackTo: number | undefined;
  /** Where the ledger that is read begins, where that is after the period does. */
  readonly begins: number | undefined;
  /** Whether what has no end here has none: it was looked for up to now. */
  readonly endsKnown: boolean;
  /** Entries of the period that this version cannot read. */
  readonly unreadable: number;
}

/**
 * Reads what happened in a period, newest first, and then what belongs to it from before and after: who asked for what
 * ended in it, and how ended what began in it.
 */
export async function gatherDeeds(
  reader: FactReader,
  period: Period,
  now: number,
  limits: GatherLimits = gatherLimits,
): Promise<Gathered> {
  const deeds = new Deeds();
  const within = ({ entry }: Fact): boolean => entry.at >= period.from && entry.at < period.to;
  const oldest = period.from - clocksApartMs;
  let entries = 0;
  let unreadable = 0;
  let last = period.to + clocksApartMs;
  let whole = true;
  for await (const page of reader.backwards(last)) {
    for (const fact of page.facts) if (within(fact)) deeds.add(fact);
    unreadable += page.unreadable;
    entries += page.facts.length;
    last = positionOf(page) ?? last;
    if (last < oldest) break;
    whole = entries < limits.entries;
    if (!whole) break;
  }
  const complete = (page: FactPage): number => {
    for (const fact of page.facts) deeds.complete(fact);
    return page.facts.length;
  };
  // What was read beside the period, because clocks differ, is read again.
  const around = whole ? period.from + clocksApartMs : last + 1;
  let left = limits.lookedUp;
  if (deeds.lackBeginnings) {
    for await (const page of reader.backwards(around)) {
      left -= complete(page);
      if (left <= 0 || !deeds.lackBeginnings) break;
    }
  }
  left = limits.lookedUp;
  if (deeds.lackEnds && period.to <= now) {
    for await (const page of reader.forwards(period.to - clocksApartMs)) {
      left -= complete(page);
      if (left <= 0 || !deeds.lackEnds) break;
    }
  }
  const begins = await reader.begins();
  return {
    ...{ deeds: deeds.all(), unreadable, readBackTo: whole ? undefined : last, endsKnown: left > 0 },
    begins: begins !== undefined && begins > period.from ? begins : undefined,
  };
}

/** When the last entry of a page was stored. */
function positionOf({ facts }: FactPage): number | undefined {
  const last = facts.at(-1);
  return last && storedAt(last.position);
}
