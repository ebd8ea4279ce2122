import { z } from 'zod';

/** A person as Slack knows them: the only kind of requester that can decide, halt, cancel or silence. */
export const personSchema = z.object({
  kind: z.literal('person'),
  userId: z.string(),
  teamId: z.string(),
});

/** Who asks. */
export const requesterSchema = z.discriminatedUnion('kind', [
  personSchema,
  /** Alerts that belong together (see `incident.ts`). */
  z.object({ kind: z.literal('alert'), incident: z.string() }),
  z.object({
    kind: z.literal('schedule'),
    schedule: z.string(),
    /** Who set it up in Slack; absent for one of the fleet file. */
    by: personSchema.optional(),
  }),
  /** The supervisor of another machine, whose run found something; see `peers.ts`. */
  z.object({
    kind: z.literal('supervisor'),
    machine: z.string(),
    run: z.string(),
    /** How many supervisors asked one another up to here; 1 for the first. */
    hops: z.int().min(1),
    /** The trace of that run, for a link. */
    trace: z.object({ traceId: z.string().length(32), rootSpanId: z.string().length(16) }),
  }),
]);

export type PersonRef = z.infer<typeof personSchema>;
export type Requester = z.infer<typeof requesterSchema>;

/** The person who is behind it, and so never approves what it leads to. */
export function personBehind(requester: Requester): PersonRef | undefined {
  switch (requester.kind) {
    case 'person':
      return requester;
    case 'schedule':
      return requester.by;
    case 'alert':
    case 'supervisor':
      return undefined;
  }
}

/** One word for logs, traces and limits: a person's Slack id, `alerts`, `schedule:NAME`, `supervisor:MACHINE`. */
export function requesterWord(requester: Requester): string {
  switch (requester.kind) {
    case 'person':
      return requester.userId;
    case 'alert':
      return 'alerts';
    case 'schedule':
      return `schedule:${requester.schedule}`;
    case 'supervisor':
      return `supervisor:${requester.machine}`;
  }
}
