import { z } from 'zod';
import { originSchema, taskSchema } from './request.ts';
import { personSchema, requesterSchema } from './requester.ts';

/** A machine of a campaign that gets no run, and why, as words for people: `silenced until …`, `halted by …`. */
const leftOutSchema = z.object({
  machine: z.string(),
  why: z.string(),
  /** When that is over by itself, where it is. */
  until: z.int().optional(),
});

/** One request to many machines: its own record, one summary message. */
export const campaignSchema = z.object({
  id: z.string(),
  selector: z.string(),
  task: taskSchema,
  requester: requesterSchema,
  origin: originSchema,
  /** All of them, in the order in which they are taken. */
  machines: z.array(z.string()),
  acceptedAt: z.int(),
  /** How many machines are taken up to the end of each wave: `[1, 101, 1000]`. Absent: all in one wave. */
  waves: z.array(z.int().min(1)).optional(),
  /** How many of them may be at work at once. Absent: as many as workers take. */
  atOnce: z.int().min(1).optional(),
  /** How many machines were handed in so far; absent: all. */
  handedIn: z.int().nonnegative().optional(),
  /** The wave after which it stopped, because a machine of it was not ok; until somebody continues. */
  stopped: z.object({ wave: z.int().nonnegative(), at: z.int(), why: z.string() }).optional(),
  /** Who continued after which wave. */
  continued: z.array(z.object({ wave: z.int().nonnegative(), by: personSchema, at: z.int() })).optional(),
  /** Nothing of it is handed in any more: who ended it. */
  ended: z.object({ by: personSchema, at: z.int() }).optional(),
  leftOut: z.array(leftOutSchema).optional(),
  /** The campaign of the same schedule before this one: what changed since is told in full. */
  previous: z.string().optional(),
});

export type Campaign = z.infer<typeof campaignSchema>;
export type LeftOut = z.infer<typeof leftOutSchema>;
