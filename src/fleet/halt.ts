import { z } from 'zod';
import type { Machine } from './machine.ts';
import { originSchema } from './request.ts';
import { personSchema } from './requester.ts';
import { parseSelector } from './selector.ts';

/** Longest reason of a halt: with the halt's id and the person it must fit into a lock's reason of the gate. */
export const haltReasonMaxCharacters = 150;

/** Who ended a halt for which machines. The selector is one of the fleet file's language. */
const releaseSchema = z.object({
  selector: z.string(),
  by: personSchema,
  /** The second person, where the access table wants one. */
  agreedBy: personSchema.optional(),
  at: z.int(),
});

/** A resume that waits for a second person. */
const resumeWishSchema = z.object({ selector: z.string(), by: personSchema, at: z.int() });

/**
 * People's order that machines do nothing until it is lifted. Holds for every machine that its selector matches
 * at any time, so also for those that join the fleet later. Immutable but for what lifts it.
 */
export const haltSchema = z.object({
  /** `h-…`; stands in the lock of every machine that it locked. */
  id: z.string(),
  eventId: z.string(),
  selector: z.string(),
  reason: z.string().min(1).max(haltReasonMaxCharacters),
  by: personSchema,
  origin: originSchema,
  at: z.int(),
  releases: z.array(releaseSchema),
  resumeWish: resumeWishSchema.optional(),
});

export type Halt = z.infer<typeof haltSchema>;
export type Release = z.infer<typeof releaseSchema>;
export type ResumeWish = z.infer<typeof resumeWishSchema>;

/** What is known of one machine of a halt. */
export const haltOutcomes = [
  /** Not told yet. */
  'pending',
  /** Locked, and its agent measured inactive. */
  'inactive',
  /** Locked, but something that must not be interrupted is left to end. */
  'ending',
  /** Could not be reached: it is locked when it comes back. */
  'unreachable',
  /** It answered, but could not be locked or stopped. */
  'failed',
  /** The halt was lifted and the lock is gone. */
  'unlocked',
] as const;

export const haltMemberSchema = z.object({
  outcome: z.enum(haltOutcomes),
  at: z.int(),
  /** Why, or what is left to end; a sentence for people. */
  detail: z.string().optional(),
});
export type HaltOutcome = (typeof haltOutcomes)[number];
export type HaltMember = z.infer<typeof haltMemberSchema>;

/** Whether the halt holds for the machine: its selector matches, and no release does. */
export function holds(halt: Halt, machine: Machine): boolean {
  return holder(halt)(machine);
}

/** `holds` for many machines: the selectors, which may name thousands, are read once. */
export function holder(halt: Halt): (machine: Machine) => boolean {
  const matches = parseSelector(halt.selector);
  const isLifted = lifter(halt);
  return (machine) => matches(machine) && !isLifted(machine);
}

/**
 * Whether people lifted the halt from a machine. Not so where only its labels changed, so that the selector matches
 * it no longer: a change of the fleet file resumes nothing.
 */
export function lifter({ selector, releases }: Halt): (machine: Machine) => boolean {
  if (releases.some((release) => release.selector === selector)) return () => true;
  const lifted = releases.map((release) => parseSelector(release.selector));
  return (machine) => lifted.some((lifts) => lifts(machine));
}

/** Whether the halt held for the machine and was lifted from it. */
export function isLifted(halt: Halt, machine: Machine): boolean {
  return lifter(halt)(machine) && parseSelector(halt.selector)(machine);
}

/** The oldest halt that holds for the machine. */
export function haltOf(halts: readonly Halt[], machine: Machine): Halt | undefined {
  return halts.find((halt) => holds(halt, machine));
}

/** What the gate is told as a lock's reason. The id comes first, so that the lock is known again as ours. */
export function lockReasonOf({ id, by, reason }: Halt): string {
  return `halt ${id} by ${by.userId}: ${reason}`;
}

const lockReasonPattern = /^halt (h-[0-9a-z]+) by /;

/** The id of the halt that locked a machine; undefined for a lock that came by other means. */
export function haltIdOfLock(reason: string): string | undefined {
  return lockReasonPattern.exec(reason)?.[1];
}
