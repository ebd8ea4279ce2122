import { z } from 'zod';
import { originSchema } from './request.ts';
import { personSchema } from './requester.ts';

/** Who is called: a Slack person, group or channel, or a pager that the settings name. */
export const onCallTargetPattern = /^(?:[SUWCG][A-Z0-9]{2,}|pager:[a-z0-9][a-z0-9-]{0,38})$/;

/**
 * What a pager is told begins with it: what the pager's own app posts about that in a channel for alerts is no alert,
 * else each call would lead to the next.
 */
export const callMark = 'fleetbot: ';

const pagerPrefix = 'pager:';

/** The name of the pager that is called; undefined for a target in Slack. */
export function pagerOf(target: string): string | undefined {
  return target.startsWith(pagerPrefix) ? target.slice(pagerPrefix.length) : undefined;
}

/** Whether a target is a channel of Slack. */
export function isChannel(target: string): boolean {
  return /^[CG]/.test(target);
}

/** One call of a target. Each is called once; a pager that may not have heard it again, under the same key. */
const callSchema = z.object({
  /** Index into `targets`. */
  target: z.int().nonnegative(),
  at: z.int(),
  /** A pager took it. */
  delivered: z.literal(true).optional(),
  /** Why it reached nobody, as a sentence. */
  problem: z.string().optional(),
});

/** An escalation on its way to people on call, one target after the other until somebody has it. */
export const handOverSchema = z.object({
  /** `o-` and the digits of the run. */
  id: z.string(),
  run: z.string(),
  machine: z.string(),
  /** What the run was asked for, as a person would type it. */
  task: z.string(),
  /** The check, or `ask`. */
  what: z.string(),
  /** The thread of the run. */
  origin: originSchema,
  /** Why, as a sentence; redacted. */
  why: z.string(),
  /** People approved it, or nobody answered. */
  because: z.enum(['approved', 'expired']),
  targets: z.array(z.string()).min(1),
  openedAt: z.int(),
  /**
   * `delivered`: a pager took it; `nobody`: all were called; `silenced`: a silence keeps the rest from being called. A
   * person may still take it then.
   */
  state: z.enum(['calling', 'taken', 'delivered', 'nobody', 'silenced']),
  /** In the order of `targets`, as far as they were called. */
  calls: z.array(callSchema),
  /** When the next target is called, or a pager once more, while it is `calling`. */
  nextAt: z.int().optional(),
  /** The silence that held it back, as words for people. */
  silenced: z.object({ reason: z.string(), by: personSchema.optional(), at: z.int() }).optional(),
  takenBy: z.object({ by: personSchema, at: z.int() }).optional(),
});

export type Call = z.infer<typeof callSchema>;
/** The states in which those on call have it, or are on the way to. */
export const inHandStates: ReadonlySet<HandOver['state']> = new Set(['calling', 'taken', 'delivered']);

export type HandOver = z.infer<typeof handOverSchema>;

export const handOverIdOf = (runId: string): string => `o-${runId.slice(2)}`;
/** The other way round. */
export const runIdOfHandOver = (handOverId: string): string => `r-${handOverId.slice(2)}`;
