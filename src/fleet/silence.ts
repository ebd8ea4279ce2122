import { z } from 'zod';
import { originSchema } from './request.ts';
import { personSchema } from './requester.ts';

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
  /** Where it is announced. */
  origin: originSchema,
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
  /** The check, the action, or what else it was about. */
  what: z.string(),
  times: z.int().min(1),
});

export type Silence = z.infer<typeof silenceSchema>;
export type HeldBack = z.infer<typeof heldBackSchema>;
export type HeldBackKind = (typeof heldBackKinds)[number];
