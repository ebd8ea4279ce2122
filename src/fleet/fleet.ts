import { z } from 'zod';
import type { Machine } from './machine.ts';
import type { Prices } from './price.ts';

/** What a person can be allowed to do with a machine. */
export const verbs = ['view', 'check', 'ask', 'cancel', 'halt', 'resume'] as const;
export type Verb = (typeof verbs)[number];

/** The verbs for which the access table can want a second person. */
export const twoPeopleVerbs = ['resume'] as const satisfies readonly Verb[];
export type TwoPeopleVerb = (typeof twoPeopleVerbs)[number];

/** One row of the access table: these people and groups may do these verbs with these machines. */
export interface AccessRule {
  readonly people: readonly string[];
  readonly groups: readonly string[];
  /** A selector (see `selector.ts`). */
  readonly machines: string;
  readonly verbs: readonly Verb[];
  /** Of these verbs, those for which a second person with the same right must agree. */
  readonly twoPeople: readonly TwoPeopleVerb[];
  /** Line in the fleet file, so that an explanation can point at it. */
  readonly line: number;
}

/** How much one person may ask for, over all machines. A campaign counts once. */
export const personLimitsSchema = z.strictObject({
  requestsPerMinute: z.int().min(1).max(10_000).default(30),
});
export type PersonLimits = z.infer<typeof personLimitsSchema>;

/** The fleet file, with defaults filled in. Immutable. */
export interface Fleet {
  readonly file: string;
  /** In the order of the file. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly access: readonly AccessRule[];
  readonly perPerson: PersonLimits;
  readonly prices: Prices;
}
