import type { LedgerEntry } from '../ledger-entry.ts';
import { requesterWord } from '../requester.ts';

/** One entry of the ledger, as it was read. */
export interface Fact {
  /** Where it stands in the ledger: `MS-N`, the store's clock in ms and a count. Later entries have later ones. */
  readonly position: string;
  readonly entry: LedgerEntry;
}

/** Some of the ledger, in the order in which it was asked for. */
export interface FactPage {
  readonly facts: readonly Fact[];
  /** Entries among them that this version cannot read. */
  readonly unreadable: number;
}

/** The ledger, read by time. Pages are small, so that nothing else waits long for them. */
export interface FactReader {
  /** What was stored before that moment, newest first. */
  backwards(before: number): AsyncIterable<FactPage>;
  /** What was stored from that moment on, oldest first. */
  forwards(from: number): AsyncIterable<FactPage>;
  /** When the oldest entry was stored, if older ones were there before; undefined where the ledger is whole. */
  begins(): Promise<number | undefined>;
}

/** Who acts where nobody else did. */
export const fleetbot = 'fleetbot';

/** When an entry was stored, by the store's clock, in ms since the epoch. */
export function storedAt(position: string): number {
  return Number.parseInt(position, 10);
}

/** The order in which entries were stored. */
export function byPosition(a: Fact, b: Fact): number {
  const count = ({ position }: Fact): number => Number(position.slice(position.indexOf('-') + 1));
  return storedAt(a.position) - storedAt(b.position) || count(a) - count(b);
}

/** Who did it, in the words of `requesterWord`. */
export function whoDid(entry: LedgerEntry): string {
  if (entry.kind === 'capsule.signed' || entry.kind === 'capsule.refused') return 'signer';
  if (!('by' in entry) || entry.by === undefined) return fleetbot;
  return typeof entry.by === 'string' ? entry.by : requesterWord(entry.by);
}

/** The Slack ids of the people who did it, agreed to it, or are behind it. */
export function peopleOf(entry: LedgerEntry): readonly string[] {
  const people: string[] = [];
  if ('by' in entry && entry.by !== undefined) {
    if (typeof entry.by === 'string') people.push(entry.by);
    else if (entry.by.kind === 'person') people.push(entry.by.userId);
    else if (entry.by.kind === 'schedule' && entry.by.by !== undefined) people.push(entry.by.by.userId);
  }
  if ('agreedBy' in entry && entry.agreedBy !== undefined) people.push(entry.agreedBy.userId);
  if (entry.kind === 'action.began') people.push(...entry.approvedBy);
  return people;
}
