import { z } from 'zod';

/** How many alerts of an incident are kept with their text. All of them are counted. */
export const incidentAlertsKept = 50;

/** How many names of alerts are counted one by one. */
export const incidentKindsKept = 100;

/** How much of an alert's text an incident keeps. */
export const incidentTextMaxCharacters = 300;

/** How many machines an incident notes, those included that it does not look at. */
export const machinesNoted = 1_000;

/** How many runs that people asked for from an incident are noted in it: the newest. */
export const askedAgainKept = 50;

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
  /** Why none was, as words for people: `checked at … in run r-…`, `silenced until …`. */
  heldBack: z.string().optional(),
  /** When what held it back is over by itself, where it is; an incident stays open so long. */
  until: z.int().optional(),
  /** The Slack id of the person who asked for it; absent where the alerts led to it. */
  by: z.string().optional(),
});

/** Exact, whatever is kept. */
export const incidentCountsSchema = z.object({
  alerts: z.int().nonnegative(),
  firing: z.int().nonnegative(),
  /** Messages about them, repetitions included. */
  notifications: z.int().nonnegative(),
  /** Alerts into which nobody looks. */
  unmatched: z.int().nonnegative(),
});

/** Machines that are being handed in: stored first, so that it is done once whatever is killed meanwhile. */
const roundSchema = z.object({ check: z.string(), machines: z.array(z.string()).min(1) });

/** Alerts that belong together: one thread in Slack, and the runs that look into them. */
export const incidentSchema = z.object({
  /** `i-…`. */
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
  /** When one of its alerts was last told. */
  lastAt: z.int(),
  /** Every alert of it was resolved (`counts.firing` is 0), or told no more. */
  closedAt: z.int().optional(),
  /** As many as are kept, the one that was told last at the end; firing ones rather than resolved. */
  alerts: z.array(incidentAlertSchema),
  /** Of all of them, also of those that are kept no more. */
  counts: incidentCountsSchema,
  /** How many of its alerts have which name, most frequent first; of the names that came first, if there are many. */
  kinds: z.array(z.object({ name: z.string(), alerts: z.int().min(1) })),
  /** Of what alerts led to, the last of each machine and check; of what people asked for, the newest. */
  investigations: z.array(investigationSchema),
  /** Machines that would have been looked at, had there not been too many; the most at one time. */
  notInvestigated: z.int().nonnegative(),
  /** The number of the last round in which machines were to be handed in. */
  rounds: z.int().nonnegative(),
  /** The round that is being handed in; its number is `rounds`. */
  underWay: roundSchema.optional(),
});

export type IncidentAlert = z.infer<typeof incidentAlertSchema>;
export type Investigation = z.infer<typeof investigationSchema>;
export type Incident = z.infer<typeof incidentSchema>;

/** A machine and the check that looks into its alerts. */
export interface Target {
  readonly machine: string;
  readonly check: string;
}

/** One word for a target; neither machines nor checks have a space in their names. */
export function targetWord({ machine, check }: Target): string {
  return `${machine} ${check}`;
}
