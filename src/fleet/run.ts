import { z } from 'zod';
import { paramsSchema } from './action.ts';
import { approvalSchema } from './approval.ts';
import { evidenceSchema } from './evidence.ts';
import { findingSchema, verdictSchema } from './finding.ts';
import { requestSchema } from './request.ts';
import { personSchema } from './requester.ts';
import { usageSchema } from './usage.ts';

export const runStates = [
  'queued',
  'gathering',
  'starting',
  'tasking',
  'stopping',
  'awaiting',
  'approved',
  'acting',
  'verifying',
  'done',
] as const;
export type RunState = (typeof runStates)[number];

/**
 * The only moves a run can make. `stopping → starting` is the second activation after a crash; every state
 * may end (`done`) because evidence can fail, a person can cancel, and no agent may be wanted. A run in `awaiting`
 * holds no machine; in `approved` it is in its machine's inbox once more. `acting` is entered once.
 */
const moves: Record<RunState, readonly RunState[]> = {
  queued: ['gathering', 'done'],
  gathering: ['starting', 'awaiting', 'done'],
  starting: ['tasking', 'stopping'],
  tasking: ['stopping'],
  stopping: ['starting', 'awaiting', 'done'],
  awaiting: ['approved', 'done'],
  approved: ['acting', 'done'],
  acting: ['verifying', 'done'],
  verifying: ['done'],
  done: [],
};

/** Whether a run may go from one state to the other. */
export function canMove(from: RunState, to: RunState): boolean {
  return moves[from].includes(to);
}

/** Whether an agent of this run may be alive in this state. */
export function agentMayBeAlive(state: RunState): boolean {
  return state === 'starting' || state === 'tasking' || state === 'stopping';
}

export const failureSchema = z.object({ code: z.string(), message: z.string() });

/** A person's wish to end a run. Set once; the first one counts. */
export const cancellationSchema = z.object({
  userId: z.string(),
  at: z.int(),
  /** The halt that ended it, where the person halted the machine. */
  halt: z.string().optional(),
});

/** One tool call of the agent, as the gateway reported it (not as the model tells it). */
export const toolCallSchema = z.object({
  id: z.string(),
  tool: z.string(),
  /** The call's arguments as one line, for people. */
  input: z.string(),
  output: z.string(),
  failed: z.boolean(),
  startedAt: z.int(),
  endedAt: z.int(),
});

/** An action that was proposed. */
const proposalSchema = z.object({
  action: z.string(),
  params: paramsSchema,
  /** The words in which it was proposed; redacted. */
  source: z.string(),
});

/** A command of the agent's own that its gateway wanted people to vote on: never put to a vote. */
const deniedCommandSchema = z.object({
  command: z.string(),
  at: z.int(),
  /** The action of the catalogue that comes nearest, where one comes near. */
  nearest: z.string().optional(),
});

/** What became of the agent's part in a run. */
export const diagnosisSchema = z.object({
  /** How many activations were begun for this run. */
  activations: z.int().nonnegative(),
  /** The agent's own words; a comment, never a verdict. */
  comment: z.string().optional(),
  toolCalls: z.array(toolCallSchema),
  usage: usageSchema.optional(),
  model: z.string().optional(),
  /** Absent where the tokens or the model's price are not known. */
  costUsd: z.number().optional(),
  /** Sentences in which the comment contradicts the evidence, as text for people. */
  contradictions: z.array(z.string()),
  /** The action of the catalogue that the agent proposes, where it proposed one that could be asked for. */
  proposal: proposalSchema.optional(),
  /** Why what it proposed cannot be asked for, as a sentence for people. */
  proposalProblem: z.string().optional(),
  /** Commands for which it wanted an approval of its own; each was denied at once. */
  deniedCommands: z.array(deniedCommandSchema).optional(),
  failure: failureSchema.optional(),
});

/**
 * What is known of the agent after the run: `never-started`, measured `inactive`, or `unknown`, in which
 * case the machine is quarantined until it is measured.
 */
export const inertnessSchema = z.enum(['never-started', 'inactive', 'unknown']);

/** What a check found at one moment. */
const measurementSchema = z.object({
  evidence: evidenceSchema.optional(),
  findings: z.array(findingSchema),
  verdict: verdictSchema,
});

export const actionOutcomes = [
  /** It ran to its end, and its program says that it went well. */
  'done',
  /** It ran, and did not go well, or took too long. */
  'failed',
  /** Signer or machine refused it: nothing was changed. */
  'refused',
  /** What it should cure was gone when its turn came: nothing was changed. */
  'not-needed',
  /** It never reached the machine, and cannot any more: nothing was changed. */
  'not-begun',
  /** The machine cannot say whether it ran. */
  'unknown',
] as const;

/** What the evidence says after an action, compared with before. */
export const effects = ['confirmed', 'better', 'unchanged', 'worse', 'inconclusive'] as const;

/** What became of an approved action. */
export const actionRecordSchema = z.object({
  /** Measured right before: what people saw on the card may be half an hour old. */
  before: measurementSchema.optional(),
  /** When the machine was asked to begin. */
  begunAt: z.int().optional(),
  /** When the machine ends it at the latest. */
  endsBy: z.int().optional(),
  endedAt: z.int().optional(),
  outcome: z.enum(actionOutcomes).optional(),
  /** A sentence for people. */
  detail: z.string(),
  exitCode: z.int().nullable().optional(),
  stdout: z.string().default(''),
  stderr: z.string().default(''),
  after: measurementSchema.optional(),
  effect: z.enum(effects).optional(),
});

/** The moments at which a run can be held back. */
export const withheldMoments = ['run', 'agent', 'escalation', 'action'] as const;

/** What a run did not do, and why, as words for people. */
export const withheldSchema = z.object({
  moment: z.enum(withheldMoments),
  /** A silence or maintenance window holds, the alert that asked for it is over, or a budget is used up. */
  kind: z.enum(['silenced', 'resolved', 'over-budget']),
  reason: z.string(),
  /** Who silenced the machine, where a person did. */
  by: personSchema.optional(),
});

/** Where people were asked before what the run would ask them: it stands open, or those on call have it. */
export const askedBeforeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('question'), run: z.string(), approval: z.string() }),
  z.object({
    kind: z.literal('hand-over'),
    handOver: z.string(),
    at: z.int(),
    takenBy: personSchema.optional(),
  }),
]);

/** One request served on one machine: the record that everything else is a view of. */
export const runSchema = z.object({
  id: z.string(),
  request: requestSchema,
  state: z.enum(runStates),
  /** W3C ids in lower-case hex: 32 and 16 digits. Known from the moment of acceptance. */
  trace: z.object({ traceId: z.string().length(32), rootSpanId: z.string().length(16) }),
  /** When each state was entered, milliseconds since the epoch. */
  timeline: z.array(z.object({ state: z.enum(runStates), at: z.int() })),
  evidence: evidenceSchema.optional(),
  findings: z.array(findingSchema),
  /** Set as soon as the evidence is judged, before the run is done. */
  verdict: verdictSchema.optional(),
  /** What it did not do because of a silence, or because the alert was over; see `supervisors/ports.ts`. */
  withheld: withheldSchema.optional(),
  /** Why it asked people nothing, where they were asked before. */
  askedBefore: askedBeforeSchema.optional(),
  /** The machines whose supervisors were asked to check for the same thing, and their campaign. */
  peers: z.object({ campaign: z.string(), machines: z.array(z.string()) }).optional(),
  /** Why a run could not do what was asked, where it could not. */
  failure: failureSchema.optional(),
  diagnosis: diagnosisSchema.optional(),
  /** What it asked of people; there from `awaiting` on. */
  approval: approvalSchema.optional(),
  /** What became of the action that they approved. */
  action: actionRecordSchema.optional(),
  inertness: inertnessSchema,
  cancellation: cancellationSchema.optional(),
});

export type AskedBefore = z.infer<typeof askedBeforeSchema>;
export type Withheld = z.infer<typeof withheldSchema>;
export type Proposal = z.infer<typeof proposalSchema>;
export type DeniedCommand = z.infer<typeof deniedCommandSchema>;
export type Measurement = z.infer<typeof measurementSchema>;
export type ActionRecord = z.infer<typeof actionRecordSchema>;
export type ActionOutcome = (typeof actionOutcomes)[number];
export type Effect = (typeof effects)[number];
export type ToolCall = z.infer<typeof toolCallSchema>;
export type Diagnosis = z.infer<typeof diagnosisSchema>;
export type Inertness = z.infer<typeof inertnessSchema>;
export type Cancellation = z.infer<typeof cancellationSchema>;
export type Run = z.infer<typeof runSchema>;

/** What has a trace: a run, or what is known of one. `traceId`: 32 hex digits. */
export interface Traced {
  readonly trace: { readonly traceId: string };
}

/**
 * The run in its next state. Its timeline never goes back, whatever the clocks of the processes that write it.
 * @throws RangeError when the state machine has no such move (a bug)
 */
export function moveRun(run: Run, to: RunState, at: number, changes: Partial<Run> = {}): Run {
  if (!canMove(run.state, to)) throw new RangeError(`run ${run.id}: no move from ${run.state} to ${to}`);
  const notBefore = run.timeline.at(-1)?.at ?? at;
  const timeline = [...run.timeline, { state: to, at: Math.max(at, notBefore) }];
  return { ...run, ...changes, state: to, timeline };
}
