import type { LedgerEntry } from '../ledger-entry.ts';
import { byPosition, type Fact } from './fact.ts';
import { partsOf, type Subject, type SubjectKind } from './subjects.ts';

type EntryKind = LedgerEntry['kind'];

/** All that was read of one subject: who asked, what became of it. */
export interface Deed {
  readonly subject: Subject;
  /** In the order in which they were stored. At least one. */
  readonly facts: readonly Fact[];
}

/** The fact with which a record of this kind begins. */
const beginnings: Partial<Record<SubjectKind, EntryKind>> = {
  run: 'request.accepted',
  campaign: 'request.accepted',
  halt: 'halt.began',
  silence: 'silence.began',
  incident: 'incident.opened',
};

/** The fact after which nothing more is expected of it; a campaign ends with its runs. */
const ends: Partial<Record<SubjectKind, EntryKind>> = {
  run: 'run.done',
  halt: 'halt.released',
  silence: 'silence.ended',
  incident: 'incident.closed',
};

/** Windows of the fleet file begin without a fact. */
const windowId = /^w-/;

/** Joins facts to deeds, in whatever order they come, each once. */
export class Deeds {
  readonly #deeds = new Map<string, { readonly subject: Subject; readonly facts: Fact[] }>();
  /** Those whose beginning, or end, was not seen yet. */
  readonly #unbegun = new Set<string>();
  readonly #unended = new Set<string>();

  add(fact: Fact): void {
    this.#add(fact, true);
  }

  /** Only to deeds that are there already. */
  complete(fact: Fact): void {
    this.#add(fact, false);
  }

  /** Whether the fact with which some deed began was not added yet. */
  get lackBeginnings(): boolean {
    return this.#unbegun.size > 0;
  }

  /** The same of ends. */
  get lackEnds(): boolean {
    return this.#unended.size > 0;
  }

  all(): readonly Deed[] {
    return [...this.#deeds.values()].map(({ subject, facts }) => {
      const inOrder = facts.toSorted(byPosition);
      // What was read twice stands side by side now.
      const once = inOrder.filter(({ position }, at) => position !== inOrder[at - 1]?.position);
      return { subject, facts: once };
    });
  }

  #add(fact: Fact, opens: boolean): void {
    for (const part of partsOf(fact)) {
      const key = `${part.subject.kind} ${part.subject.id}`;
      const deed = this.#deeds.get(key) ?? (opens ? this.#open(key, part.subject) : undefined);
      if (deed === undefined) continue;
      deed.facts.push(part.fact);
      if (beginnings[part.subject.kind] === fact.entry.kind) this.#unbegun.delete(key);
      if (ends[part.subject.kind] === fact.entry.kind) this.#unended.delete(key);
    }
  }

  #open(key: string, subject: Subject): { subject: Subject; facts: Fact[] } {
    const deed = { subject, facts: [] };
    this.#deeds.set(key, deed);
    if (beginnings[subject.kind] !== undefined && !windowId.test(subject.id)) this.#unbegun.add(key);
    if (ends[subject.kind] !== undefined) this.#unended.add(key);
    return deed;
  }
}

/** The one that changed last first. */
export function newestFirst(deeds: readonly Deed[]): readonly Deed[] {
  return deeds
    .map((deed) => ({ deed, until: Math.max(...deed.facts.map(({ entry }) => entry.at)) }))
    .sort((a, b) => b.until - a.until)
    .map(({ deed }) => deed);
}

/** Whether the fact with which it began is among them. */
export function hasBeginning({ subject, facts }: Deed): boolean {
  const kind = beginnings[subject.kind];
  return kind === undefined || windowId.test(subject.id) || facts.some(({ entry }) => entry.kind === kind);
}
