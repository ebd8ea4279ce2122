import { ledgerEntrySchema } from '../ledger-entry.ts';
import type { Fact } from './fact.ts';

/** A fact from the JSON text of an entry; undefined where this version cannot read it. */
export function readFact(position: string, text: string): Fact | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return factOf(position, value);
}

/** The same from its value. */
export function factOf(position: string, value: unknown): Fact | undefined {
  const entry = ledgerEntrySchema.safeParse(value).data;
  return entry && { position, entry };
}
