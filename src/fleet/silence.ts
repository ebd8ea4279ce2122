import { z } from 'zod';
import { formatMoment } from './format.ts';
import type { Machine } from './machine.ts';
import { originSchema } from './request.ts';
import { personSchema } from './requester.ts';
import { parseSelector } from './selector.ts';

/** The shortest and the longest time for which a person may silence machines. */
export const silenceMinMs = 60_000;
export const silenceMaxMs = 14 * 24 * 3_600_000;

/** Longest reason of a silence; that of a window may be as long. */
export const silenceReasonMaxCharacters = 200;

/** A time in which nothing happens to machines by itself: a person's, or one of the fleet file's windows. */
export const silenceSchema = z.object({
  /** `s-…`; of a window `w-NAME-` and its begin in base 36. */
  id: z.string(),
  /** A selector. */
  machines: z.string(),
  reason: z.string(),
  by: z.discriminatedUnion('kind', [
    personSchema,
    z.object({ kind: z.literal('window'), window: z.string() }),
  ]),
  /** Where it is announced; absent for a window where neither it nor its machines have a channel. */
  origin: originSchema.optional(),
  from: z.int(),
  /** Every silence ends. */
  until: z.int(),
  /** Who ended it before its time. */
  ended: z.object({ by: personSchema, at: z.int() }).optional(),
});

/** What a silence can hold back. */
export const heldBackKinds = ['alert', 'schedule', 'peer', 'escalation', 'action'] as const;

/** Something that a silence held back, as often as it did. */
export const heldBackSchema = z.object({
  kind: z.enum(heldBackKinds),
  machine: z.string(),
  /** The check, the action, or `ask`. */
  what: z.string(),
  times: z.int().min(1),
});

export type Silence = z.infer<typeof silenceSchema>;
export type HeldBack = z.infer<typeof heldBackSchema>;
export type HeldBackKind = (typeof heldBackKinds)[number];

/**
 * The silence that holds for the machine at this moment; of several the one that ends last. One that was made holds
 * at once, also where this computer's clock is behind.
 */
export function silenceFor(silences: readonly Silence[], machine: Machine, now: number): Silence | undefined {
  return silencer(silences, now)(machine);
}

/** `silenceFor` for many machines: the selectors, which may name thousands, are read once. */
export function silencer(
  silences: readonly Silence[],
  now: number,
): (machine: Machine) => Silence | undefined {
  const lastFirst = silences
    .filter(({ until, ended }) => now < until && ended === undefined)
    .toSorted((a, b) => b.until - a.until)
    .map((silence) => ({ silence, matches: parseSelector(silence.machines) }));
  return (machine) => lastFirst.find(({ matches }) => matches(machine))?.silence;
}

/** Until when and why, for a sentence: `silenced until 2026-11-23 06:00:00 UTC: new kernel`. */
export function silencedWords({ by, until, reason }: Silence): string {
  const window = by.kind === 'window' ? ` by the maintenance window ${by.window}` : '';
  return `silenced until ${formatMoment(until)}${window}: ${reason}`;
}
