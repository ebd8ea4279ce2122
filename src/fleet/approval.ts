import { createHash } from 'node:crypto';
import { z } from 'zod';
import { paramsSchema, riskSchema } from './action.ts';
import { canonicalJson } from './canonical-json.ts';
import { personSchema, requesterSchema } from './requester.ts';

/** `a-` and the digits of the run that asks: a run asks people at most once. */
export const approvalIdPattern = /^a-[0-9a-z]{12}$/;
export const approvalIdOf = (runId: string): string => `a-${runId.slice(2)}`;
export const runIdOfApproval = (approvalId: string): string => `r-${approvalId.slice(2)}`;

/** A parameter whose value came out of text that a machine or a model wrote. */
const taintSchema = z.object({
  param: z.string(),
  value: z.string(),
  /** The line it was taken from, redacted. */
  source: z.string(),
});

/** Who is asked until when. */
const roundSchema = z.object({
  /** Slack ids of people (U…, W…) and user groups (S…) that are mentioned. */
  mention: z.array(z.string()),
  remindAt: z.int(),
  endsAt: z.int(),
});

const undoSchema = z.object({ action: z.string(), params: paramsSchema, argv: z.array(z.string()) });

const subjectSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('action'),
    action: z.string(),
    params: paramsSchema,
    /** Exactly what the machine would run. */
    argv: z.array(z.string()).min(1),
    /** `actionDigest` of machine and argv. */
    digest: z.string(),
    undo: undoSchema.optional(),
    noUndo: z.string().optional(),
  }),
  /** A critical finding for which there is no action: hand it to people on call? */
  z.object({ kind: z.literal('escalation'), to: z.array(z.string()) }),
]);

/** What people are asked, all of it as the card shows it. Immutable: a decision names its digest. */
export const questionSchema = z.object({
  id: z.string().regex(approvalIdPattern),
  run: z.string(),
  machine: z.string(),
  subject: subjectSchema,
  /** Who thought of it: a person who asked for the action, a rule of the fleet file, or the agent. */
  proposedBy: z.enum(['person', 'rule', 'agent']),
  /** Why, as a sentence for people; redacted. */
  why: z.string(),
  /** The action's own, or one worse where parameters are tainted. */
  risk: riskSchema,
  taints: z.array(taintSchema),
  /** Who asked for the run; never one of those who approve. */
  requester: requesterSchema,
  quorum: z.object({ approvals: z.int().min(1), differentGroups: z.boolean() }),
  askedAt: z.int(),
  /** Without an answer, one after the other; the last one's end is the end. */
  rounds: z.array(roundSchema).min(1),
});

/** One person's click, as the bot saw it. `groups`: those of the fleet file that the person was in at that moment. */
export const decisionSchema = z.object({
  approval: z.string(),
  /** `questionDigest` of the question that was on the card. */
  question: z.string(),
  kind: z.enum(['approve', 'deny']),
  by: personSchema,
  groups: z.array(z.string()),
  /** Why, for a denial. */
  reason: z.string().optional(),
  at: z.int(),
  eventId: z.string(),
});

/** A decision with the bot's signature over `decisionText` in namespace `decisionNamespace` (see ssh-signature.ts). */
export const voteSchema = z.object({ decision: decisionSchema, signature: z.string() });

export const approvalStates = ['waiting', 'approved', 'denied', 'expired', 'cancelled'] as const;

/** A question and what became of it. Lives in the run that asks, which is in `awaiting` while it waits. */
export const approvalSchema = z.object({
  question: questionSchema,
  state: z.enum(approvalStates),
  /** Index of the round that people are in, or were in at the end. */
  round: z.int().nonnegative(),
  /** Whether that round was reminded. */
  reminded: z.boolean(),
  /** In order. At most one of a person. */
  votes: z.array(voteSchema),
  /** When it left `waiting`. */
  settledAt: z.int().optional(),
});

export type Taint = z.infer<typeof taintSchema>;
export type Round = z.infer<typeof roundSchema>;
export type Question = z.infer<typeof questionSchema>;
export type QuestionSubject = Question['subject'];
export type ActionSubject = Extract<QuestionSubject, { kind: 'action' }>;
export type ApprovalDecision = z.infer<typeof decisionSchema>;
export type Vote = z.infer<typeof voteSchema>;
export type Approval = z.infer<typeof approvalSchema>;
export type ApprovalState = Approval['state'];

/** A question that was just asked. */
export function newApproval(question: Question): Approval {
  return { question, state: 'waiting', round: 0, reminded: false, votes: [] };
}

/** When the last round of a question ends, and with it the question. */
export function endOf({ rounds, askedAt }: Question): number {
  return rounds.at(-1)?.endsAt ?? askedAt;
}

export const decisionNamespace = 'fleetbot-decision@1';

/** What the bot signs of a decision. */
export function decisionText(decision: ApprovalDecision): string {
  return canonicalJson(decision);
}

/** Names exactly what was asked: SHA-256, in hex. */
export function questionDigest(question: Question): string {
  return createHash('sha256').update(canonicalJson(question)).digest('hex');
}
