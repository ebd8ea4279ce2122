import { z } from 'zod';
import { taskSchema } from './request.ts';
import { personSchema } from './requester.ts';

/** Something that is asked of machines again and again. */
export const scheduleSchema = z.object({
  name: z.string(),
  /** A selector, resolved each time. */
  machines: z.string(),
  task: taskSchema,
  /** Five fields of crontab(5). */
  cron: z.string(),
  /** IANA name, `Europe/Berlin`. */
  timeZone: z.string(),
  /** It begins so long after its time at most; how long is the same for everybody who works it out. */
  jitterSeconds: z.number().min(0),
  channel: z.string(),
  /** Who set it up in Slack, on whose rights it runs; absent for one of the fleet file. */
  by: personSchema.optional(),
  /** When it was set up, or first seen: what was due before is not caught up. */
  since: z.int().optional(),
});

/** What was done about a schedule so far. Counts only as long as its times are these. */
export const scheduleStateSchema = z.object({
  cron: z.string(),
  timeZone: z.string(),
  /** When a dispatcher saw these times first. */
  since: z.int(),
  /** The last time that was handled. */
  handled: z.int().optional(),
  /** The campaign that came of it. */
  campaign: z.string().optional(),
});

export type Schedule = z.infer<typeof scheduleSchema>;
export type ScheduleState = z.infer<typeof scheduleStateSchema>;
