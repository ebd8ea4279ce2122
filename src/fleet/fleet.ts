import type { Machine } from './machine.ts';

/** What a person can be allowed to do with a machine. */
export const verbs = ['view', 'check', 'ask', 'cancel'] as const;
export type Verb = (typeof verbs)[number];

/** One row of the access table: these people and groups may do these verbs with these machines. */
export interface AccessRule {
  readonly people: readonly string[];
  readonly groups: readonly string[];
  /** A selector (see `selector.ts`). */
  readonly machines: string;
  readonly verbs: readonly Verb[];
  /** Line in the fleet file, so that an explanation can point at it. */
  readonly line: number;
}

/** The fleet file, with defaults filled in. Immutable. */
export interface Fleet {
  readonly file: string;
  /** In the order of the file. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly access: readonly AccessRule[];
}
