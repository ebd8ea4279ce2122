import { z } from 'zod';
import { personSchema } from './requester.ts';

/** Who is called: a Slack person, group or channel, or a pager that the settings name. */
export const onCallTargetPattern = /^(?:[SUWCG][A-Z0-9]{2,}|pager:[a-z0-9][a-z0-9-]{0,38})$/;

/** One attempt to reach a target. */
const callSchema = z.object({
  /** Index into `targets`. */
  target: z.int().nonnegative(),
  at: z.int(),
  /** A pager took it, or the message stands in Slack. */
  delivered: z.boolean().optional(),
  /** Why it was not delivered, as a sentence. */
  problem: z.string().optional(),
});

/** An escalation on its way to people on call, one target after the other until somebody has it. */
export const handOverSchema = z.object({
  /** `o-` and the digits of the run. */
  id: z.string(),
  run: z.string(),
  machine: z.string(),
  channel: z.string(),
  /** Why, as a sentence; redacted. */
  why: z.string(),
  /** People approved it, or nobody answered. */
  because: z.enum(['approved', 'expired']),
  targets: z.array(z.string()).min(1),
  openedAt: z.int(),
  state: z.enum(['calling', 'taken', 'delivered', 'nobody']),
  calls: z.array(callSchema),
  /** When the next target is called, while it is `calling`. */
  nextAt: z.int().optional(),
  takenBy: z.object({ by: personSchema, at: z.int() }).optional(),
});

export type Call = z.infer<typeof callSchema>;
export type HandOver = z.infer<typeof handOverSchema>;

export const handOverIdOf = (runId: string): string => `o-${runId.slice(2)}`;
