import { z } from 'zod';
import { type Params, paramsSchema } from './action.ts';
import { canonicalJson } from './canonical-json.ts';
import { requesterSchema } from './requester.ts';

/** How long a question to an agent may be. */
export const questionMaxCharacters = 4_000;

/** What is asked of a machine. */
export const taskSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('check'), check: z.string() }),
  z.object({ kind: z.literal('ask'), question: z.string().min(1).max(questionMaxCharacters) }),
  /** A person asks for a change; it needs an approval like any other. */
  z.object({ kind: z.literal('act'), action: z.string(), params: paramsSchema }),
]);

/** Where the answer goes. */
export const originSchema = z.object({
  channel: z.string(),
  /** Answer in this thread instead of starting one. */
  threadTs: z.string().optional(),
  /** Answer in the thread under the message of this record (run, campaign, incident), once it stands there. */
  under: z.string().optional(),
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
  /**
   * The bot's signature over `requestText`, in namespace `requestNamespace`: nobody else can say who asked. Without
   * it a request can lead to no change.
   */
  seal: z.string().optional(),
});

export const requestNamespace = 'fleetbot-request@1';

/** What the bot signs of a request: who asked what of which machine, and when. */
export function requestText({ eventId, machine, task, requester, acceptedAt }: Request): string {
  return canonicalJson({ eventId, machine, task, requester, acceptedAt });
}

export type Task = z.infer<typeof taskSchema>;
export type Origin = z.infer<typeof originSchema>;
export type Request = z.infer<typeof requestSchema>;

/** The task in the words a person would type: `check disk`, `ask "why is it slow?"`, `run vacuum-journal size=200M`. */
export function describeTask(task: Task): string {
  switch (task.kind) {
    case 'check':
      return `check ${task.check}`;
    case 'ask':
      return `ask "${task.question}"`;
    case 'act':
      return ['run', task.action, ...paramWords(task.params)].join(' ');
  }
}

/** Parameters as a person would type them: `size=200M`. */
export function paramWords(params: Params): readonly string[] {
  return Object.entries(params).map(([name, value]) => `${name}=${value}`);
}
