import { z } from 'zod';
import { nameSchema } from './machine.ts';

/** How many schedules a fleet file may have, and how many people may set up beside them. */
export const schedulesMax = 200;

/** How many maintenance windows a fleet file may have. */
export const windowsMax = 200;

const cron = z.string().min(1).max(100);
const timeZone = z.string().min(1).max(60);

/** A maintenance window of the fleet file. */
export const windowSchema = z.strictObject({
  name: nameSchema.describe('What people read: patch-night.'),
  machines: z.string().describe('A selector.'),
  /** When it begins. */
  cron: cron.describe('When it begins, five fields as in crontab: 0 2 * * 6.'),
  timeZone: timeZone.optional().describe('IANA name: Europe/Berlin. Default: UTC.'),
  minutes: z.int().min(1).max(10_080).describe('How long it lasts.'),
  reason: z.string().min(1).max(200).describe('Why, for people.'),
  channel: z
    .string()
    .regex(/^[CG][A-Z0-9]{2,}$/)
    .optional()
    .describe(
      'Where is told what it held back. Default: the channel of the first of its machines that has one.',
    ),
});

/** A schedule of the fleet file. Exactly one of `check` and `ask`. */
export const scheduleEntrySchema = z.strictObject({
  name: nameSchema.describe('What people read: nightly-disk.'),
  machines: z.string().describe('A selector.'),
  check: nameSchema.optional().describe('The check that is run.'),
  ask: z.string().min(1).max(4_000).optional().describe('Or the question that the agents are asked.'),
  cron: cron.describe('When, five fields as in crontab: 0 3 * * *.'),
  timeZone: timeZone.optional().describe('IANA name: Europe/Berlin. Default: UTC.'),
  jitterSeconds: z.int().min(0).max(3_600).optional().describe('Begin so much later at most. Default: 0.'),
  channel: z
    .string()
    .regex(/^[CG][A-Z0-9]{2,}$/)
    .describe('Slack channel id of the digest.'),
});

export type WindowEntry = z.infer<typeof windowSchema>;
export type ScheduleEntry = z.infer<typeof scheduleEntrySchema>;
