import { z } from 'zod';

/** How long a question to an agent may be. */
export const questionMaxCharacters = 4_000;

/** What is asked of a machine. */
export const taskSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('check'), check: z.string() }),
  z.object({ kind: z.literal('ask'), question: z.string().min(1).max(questionMaxCharacters) }),
]);

/** Where the answer goes. */
export const originSchema = z.object({
  channel: z.string(),
  /** Answer in this thread instead of starting one. */
  threadTs: z.string().optional(),
});

/** Who asks. Other kinds (alert, schedule, supervisor) join with their issues. */
export const requesterSchema = z.object({
  kind: z.literal('person'),
  userId: z.string(),
  teamId: z.string(),
});

/** Who asks what of which machine. Immutable once accepted. */
export const requestSchema = z.object({
  /** Accepted once: a second request with the same event id is the same request. */
  eventId: z.string().min(1),
  machine: z.string(),
  task: taskSchema,
  requester: requesterSchema,
  origin: originSchema,
  /** The campaign it belongs to, where one request went to many machines. */
  campaign: z.string().optional(),
  /** Milliseconds since the epoch, our clock. */
  acceptedAt: z.int(),
});

/** One request to many machines: its own record, one summary message. */
export const campaignSchema = z.object({
  id: z.string(),
  selector: z.string(),
  task: taskSchema,
  requester: requesterSchema,
  origin: originSchema,
  machines: z.array(z.string()),
  acceptedAt: z.int(),
});

export type Task = z.infer<typeof taskSchema>;
export type Origin = z.infer<typeof originSchema>;
export type Requester = z.infer<typeof requesterSchema>;
export type Request = z.infer<typeof requestSchema>;
export type Campaign = z.infer<typeof campaignSchema>;

/** The task in the words a person would type: `check disk`, `ask "why is it slow?"`. */
export function describeTask(task: Task): string {
  return task.kind === 'check' ? `check ${task.check}` : `ask "${task.question}"`;
}
