import type { LedgerEntry } from '../ledger-entry.ts';
import { selectAll, termsOf } from '../selector.ts';
import type { Deed } from './deeds.ts';
import type { Fact } from './fact.ts';

/** Whoever reads an audit. */
export interface Reader {
  /** Slack id. */
  readonly userId: string;
  /** Machines that are no longer in the fleet file are seen by whoever sees all. */
  readonly sees: (machine: string) => boolean;
  /** Every machine, and so also what concerns no machine. */
  readonly seesAll: boolean;
  /** The names of the machines that a selector matches today. */
  readonly matched: (selector: string) => readonly string[];
}

/** Whoever sees all: an operator with the files. */
export const everything: Reader = { userId: '', sees: () => true, seesAll: true, matched: () => [] };

/** What stands for a machine that the reader does not see. */
const hiddenMachine = 'a machine that you may not view';

/**
 * The deed as the reader may see it: without machines that they do not see, and without words (selectors, reasons) that
 * may name such machines. Undefined where nothing of it is left.
 */
export function seenBy(reader: Reader, deed: Deed): Deed | undefined {
  if (reader.seesAll) return deed;
  const facts = seenFacts(reader, deed);
  return facts.length === 0 ? undefined : { ...deed, facts };
}

function seenFacts(reader: Reader, deed: Deed): readonly Fact[] {
  const { subject, facts } = deed;
  switch (subject.kind) {
    case 'run':
    case 'machine': {
      const machine = machineOf(facts);
      if (machine === undefined || !reader.sees(machine)) return [];
      return facts.map((fact) => changed(fact, withoutHiddenAsker(fact.entry, reader)));
    }
    case 'campaign':
      return seenOfCampaign(reader, facts);
    case 'halt':
    case 'silence':
    case 'schedule':
      return seenOfSelectors(reader, facts);
    case 'refusal':
      return facts.filter(({ entry }) => 'by' in entry && isPerson(entry.by, reader.userId));
    case 'incident':
    case 'policy':
    case 'budget':
      return [];
  }
}

/** The machine of a run, or of a single fact; undefined where none of the facts tells. */
export function machineOf(facts: readonly Fact[]): string | undefined {
  for (const { entry } of facts) {
    if (entry.kind === 'request.accepted') return entry.runs[0]?.machine;
    if ('machine' in entry) return entry.machine;
  }
  return undefined;
}

/** The machines of a campaign's runs, as far as they are known. */
export function machinesOfCampaign(facts: readonly Fact[]): readonly string[] {
  const names = facts.flatMap(({ entry }) =>
    entry.kind === 'request.accepted' ? entry.runs.map(({ machine }) => machine) : [],
  );
  return [...new Set(names)];
}

/** Why a campaign stopped names machines: only whoever sees the whole fleet reads it. */
function seenOfCampaign(reader: Reader, facts: readonly Fact[]): readonly Fact[] {
  if (!machinesOfCampaign(facts).some(reader.sees)) return [];
  return facts.map((fact) => {
    const entry = withoutHiddenAsker(fact.entry, reader);
    if (entry.kind === 'campaign.stopped') return changed(fact, { ...entry, why: hiddenReason });
    if (entry.kind !== 'request.accepted') return changed(fact, entry);
    return changed(fact, { ...entry, runs: entry.runs.filter(({ machine }) => reader.sees(machine)) });
  });
}

const hiddenReason = '(the reason is for those who may view all machines)';

/** Facts that name machines by a selector: with it for those who see all that it matches, else without. */
function seenOfSelectors(reader: Reader, facts: readonly Fact[]): readonly Fact[] {
  let isSeen = false;
  const seen: Fact[] = [];
  for (const fact of facts) {
    const { entry } = fact;
    const selector = selectorOf(entry);
    if (selector === undefined) {
      // It goes on from what began: whoever does not see that, does not see this.
      if (isSeen) seen.push(fact);
      continue;
    }
    const matched = reader.matched(selector);
    const visible = matched.filter(reader.sees);
    isSeen = visible.length > 0;
    if (!isSeen) continue;
    const isAll = visible.length === matched.length && !namesHidden(reader, selector);
    seen.push(isAll ? fact : changed(fact, narrowed(entry, visible)));
  }
  return seen;
}

/** Whether a selector names machines that the reader does not see: it leaves them out, or the fleet file no longer has them. */
function namesHidden({ sees, matched }: Reader, selector: string): boolean {
  return termsOf(selector).some(({ key, negated, glob }) => {
    if (key !== undefined || glob === selectAll) return false;
    if (!/[*?]/.test(glob)) return !sees(glob);
    return negated && !matched(glob).every(sees);
  });
}

/** The selector of a fact that has one. */
export function selectorOf(entry: LedgerEntry): string | undefined {
  if (entry.kind === 'schedule.changed') return entry.schedule.machines;
  return 'selector' in entry ? entry.selector : undefined;
}

function narrowed(entry: LedgerEntry, visible: readonly string[]): LedgerEntry {
  const selector = `${visible.join(',')} and machines that you may not view`;
  if (entry.kind === 'schedule.changed') {
    return { ...entry, schedule: { ...entry.schedule, machines: selector } };
  }
  if (!('selector' in entry)) return entry;
  return 'reason' in entry ? { ...entry, selector, reason: hiddenReason } : { ...entry, selector };
}

/** A machine's supervisor that asks another one's is named to those who see that machine. */
function withoutHiddenAsker(entry: LedgerEntry, { sees }: Reader): LedgerEntry {
  if (entry.kind !== 'request.accepted' || entry.by.kind !== 'supervisor' || sees(entry.by.machine))
    return entry;
  return { ...entry, by: { ...entry.by, machine: hiddenMachine, run: '' } };
}

function changed(fact: Fact, entry: LedgerEntry): Fact {
  return { position: fact.position, entry };
}

function isPerson(by: unknown, userId: string): boolean {
  return typeof by === 'object' && by !== null && 'userId' in by && by.userId === userId;
}
