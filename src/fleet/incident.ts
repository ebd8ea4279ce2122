import { z } from 'zod';

/** What is known of one alert of an incident. */
const incidentAlertSchema = z.object({
  fingerprint: z.string(),
  name: z.string(),
  status: z.enum(['firing', 'resolved']),
  text: z.string(),
  url: z.string().optional(),
  /** Found by the fleet file's rules; absent where none fits, and `problem` says why. */
  machine: z.string().optional(),
  check: z.string().optional(),
  problem: z.string().optional(),
  firstAt: z.int(),
  lastAt: z.int(),
  /** How often it was told. */
  times: z.int().min(1),
});

/** What became of looking at one machine. */
const investigationSchema = z.object({
  machine: z.string(),
  check: z.string(),
  at: z.int(),
  /** The run that looks; absent where none was started. */
  run: z.string().optional(),
  /** Why none was, as words for people: `checked 4 min ago in run r-…`, `silenced until …`. */
  heldBack: z.string().optional(),
});

/** Alerts that belong together: one thread in Slack, and the runs that look into them. */
export const incidentSchema = z.object({
  id: z.string(),
  /** What its alerts have in common; one incident of a key is open at a time. */
  key: z.string(),
  /** A collection of what came too fast to be told apart. */
  storm: z.boolean(),
  title: z.string(),
  source: z.string(),
  channel: z.string(),
  /** The thread of the monitoring's own message; absent where we post one. */
  threadTs: z.string().optional(),
  openedAt: z.int(),
  /** Every alert of it was resolved, or told no more. */
  closedAt: z.int().optional(),
  /** The newest, as many as are kept. */
  alerts: z.array(incidentAlertSchema),
  /** Of all of them, also of those that are kept no more. */
  counts: z.object({
    alerts: z.int().nonnegative(),
    firing: z.int().nonnegative(),
    /** Messages about them, repetitions included. */
    notifications: z.int().nonnegative(),
    unmatched: z.int().nonnegative(),
  }),
  investigations: z.array(investigationSchema),
  /** Machines that would have been looked at, had there not been too many. */
  notInvestigated: z.int().nonnegative(),
});

export type IncidentAlert = z.infer<typeof incidentAlertSchema>;
export type Investigation = z.infer<typeof investigationSchema>;
export type Incident = z.infer<typeof incidentSchema>;
