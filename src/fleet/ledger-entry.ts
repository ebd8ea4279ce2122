import { z } from 'zod';
import { riskSchema } from './action.ts';
import { verdictSchema } from './finding.ts';
import { incidentCountsSchema } from './incident.ts';
import { findingKinds } from './notice.ts';
import { originSchema, taskSchema } from './request.ts';
import { personSchema, requesterSchema } from './requester.ts';
import { actionOutcomes, effects, inertnessSchema, withheldSchema } from './run.ts';
import { scheduleSchema } from './schedule.ts';
import { usageSchema } from './usage.ts';

/** Milliseconds since the epoch, our clock. */
const at = z.int();

/**
 * One fact of the ledger: who did what, when, on which machine. Written together with, or before, what it tells
 * of. A new kind of fact is one more member here.
 */
export const ledgerEntrySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('request.accepted'),
    at,
    by: requesterSchema,
    eventId: z.string(),
    task: taskSchema,
    origin: originSchema,
    campaign: z.string().optional(),
    /** `trace` is the id of the run's trace, 32 hex digits. */
    runs: z.array(z.object({ run: z.string(), machine: z.string(), trace: z.string().optional() })),
  }),
  /** The access table, or a limit, said no. `what` is a verb or a command's name. */
  z.object({
    kind: z.enum(['request.denied', 'request.limited']),
    at,
    by: personSchema,
    what: z.string(),
    target: z.string(),
    reason: z.string(),
  }),
  /** A wave was done and not all of it was ok. Waves count from 0. */
  z.object({ kind: z.literal('campaign.stopped'), at, campaign: z.string(), wave: z.int(), why: z.string() }),
  z.object({
    kind: z.literal('campaign.continued'),
    at,
    by: personSchema,
    campaign: z.string(),
    wave: z.int(),
  }),
  /** Machines that were not handed in by then never are. */
  z.object({ kind: z.literal('campaign.ended'), at, by: personSchema, campaign: z.string() }),
  z.object({
    kind: z.literal('run.cancelled'),
    at,
    by: z.string(),
    run: z.string(),
    halt: z.string().optional(),
  }),
  /** Written before the machine is asked to start its agent. */
  z.object({
    kind: z.literal('activation.began'),
    at,
    run: z.string(),
    machine: z.string(),
    fence: z.int(),
    activation: z.int(),
  }),
  /** The agent is stopped, or given up. What an agent used that told nothing is not known: no `usage`. */
  z.object({
    kind: z.literal('activation.ended'),
    at,
    run: z.string(),
    machine: z.string(),
    activation: z.int(),
    model: z.string().optional(),
    usage: usageSchema.optional(),
    /** Absent where the tokens or the model's price are not known. */
    costUsd: z.number().optional(),
    failure: z.string().optional(),
  }),
  z.object({
    kind: z.literal('run.done'),
    at,
    run: z.string(),
    machine: z.string(),
    verdict: verdictSchema,
    inertness: inertnessSchema,
    failure: z.string().optional(),
    /** What it did not do because of a silence, or because its alert was over. */
    withheld: withheldSchema.pick({ moment: true, kind: true }).optional(),
    /** What became of the agent, where it failed or went over a limit. */
    agentFailure: z.string().optional(),
    costUsd: z.number().optional(),
  }),
  /** People were asked. `question` is its digest. */
  z.object({
    kind: z.literal('approval.asked'),
    at,
    approval: z.string(),
    run: z.string(),
    machine: z.string(),
    question: z.string(),
    /** Action with parameters, or `escalation`. */
    what: z.string(),
    risk: riskSchema.optional(),
    digest: z.string().optional(),
    proposedBy: z.enum(['person', 'rule', 'agent']),
  }),
  /** A person's click that counted. */
  z.object({
    kind: z.literal('approval.decided'),
    at,
    by: personSchema,
    approval: z.string(),
    machine: z.string(),
    decision: z.enum(['approve', 'deny']),
    groups: z.array(z.string()),
    reason: z.string().optional(),
    /** The run that asked, and the id of its trace. */
    run: z.string().optional(),
    trace: z.string().optional(),
  }),
  /** Nobody answered in time: others are asked. */
  z.object({
    kind: z.literal('approval.passed-on'),
    at,
    approval: z.string(),
    machine: z.string(),
    to: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('approval.settled'),
    at,
    approval: z.string(),
    machine: z.string(),
    state: z.enum(['approved', 'denied', 'expired', 'cancelled']),
  }),
  /** Somebody on call is about to be called. */
  z.object({
    kind: z.literal('hand-over.called'),
    at,
    handOver: z.string(),
    machine: z.string(),
    target: z.string(),
  }),
  /** A target could not be reached. */
  z.object({
    kind: z.literal('hand-over.missed'),
    at,
    handOver: z.string(),
    machine: z.string(),
    target: z.string(),
    problem: z.string(),
  }),
  /** Somebody has it. */
  z.object({
    kind: z.literal('hand-over.taken'),
    at,
    by: personSchema,
    handOver: z.string(),
    machine: z.string(),
  }),
  /** Nobody else is called: a pager took it, all were called, or the machine is silenced. */
  z.object({
    kind: z.literal('hand-over.ended'),
    at,
    handOver: z.string(),
    machine: z.string(),
    outcome: z.enum(['delivered', 'nobody', 'silenced']),
  }),
  /** Written by the signer, before it hands a capsule out, or in its place. */
  z.object({
    kind: z.enum(['capsule.signed', 'capsule.refused']),
    at,
    approval: z.string(),
    machine: z.string(),
    fence: z.int(),
    /** Why not. */
    reason: z.string().optional(),
  }),
  /** Written before the machine is asked to begin. */
  z.object({
    kind: z.literal('action.began'),
    at,
    run: z.string(),
    machine: z.string(),
    fence: z.int(),
    action: z.string(),
    digest: z.string(),
    approvedBy: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('action.ended'),
    at,
    run: z.string(),
    machine: z.string(),
    outcome: z.enum(actionOutcomes),
    effect: z.enum(effects).optional(),
  }),
  z.object({
    kind: z.literal('halt.began'),
    at,
    by: personSchema,
    halt: z.string(),
    selector: z.string(),
    reason: z.string(),
  }),
  z.object({
    kind: z.enum(['halt.resume-asked', 'halt.released']),
    at,
    by: personSchema,
    agreedBy: personSchema.optional(),
    halt: z.string(),
    selector: z.string(),
  }),
  z.object({
    kind: z.literal('silence.began'),
    at,
    by: personSchema,
    silence: z.string(),
    selector: z.string(),
    until: z.int(),
    reason: z.string(),
  }),
  /** Of a maintenance window only where it held something back. */
  z.object({
    kind: z.literal('silence.ended'),
    at,
    silence: z.string(),
    /** Who ended it before its time. */
    by: personSchema.optional(),
  }),
  z.object({
    kind: z.literal('quarantine.changed'),
    at,
    machine: z.string(),
    quarantined: z.boolean(),
    reason: z.string(),
  }),
  /** What the reconciler found; a stray's is written before it is stopped. */
  z.object({
    kind: z.literal('reconciler.found'),
    at,
    machine: z.string(),
    finding: z.enum([...findingKinds, 'stray-found']),
    detail: z.string(),
  }),
  /** Alerts began an incident; `alert` is what it is called. */
  z.object({
    kind: z.literal('incident.opened'),
    at,
    incident: z.string(),
    source: z.string(),
    alert: z.string(),
    channel: z.string(),
    storm: z.boolean(),
    counts: incidentCountsSchema,
  }),
  /** All its alerts were resolved, or told no more. */
  z.object({
    kind: z.literal('incident.closed'),
    at,
    incident: z.string(),
    counts: incidentCountsSchema,
    runs: z.array(z.string()),
    notInvestigated: z.int(),
  }),
  /** Another fleet file came into force. */
  z.object({
    kind: z.literal('policy.changed'),
    at,
    /** SHA-256 of what the file means, in hex. */
    digest: z.string(),
    /** That of the file before; absent where a process starts, which knows of none: every machine is `added`. */
    before: z.string().optional(),
    machines: z.int(),
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.string()),
    accessChanged: z.boolean(),
    /** There where the actions, the rules that propose them, or how people are asked became others. */
    actionsChanged: z.literal(true).optional(),
    /** There where alerts, maintenance, schedules or what supervisors ask one another became others. */
    signalsChanged: z.literal(true).optional(),
    /** There where prices or budgets became others. */
    costsChanged: z.literal(true).optional(),
  }),
  /** A person said whether an answer was any good; the last word of each person counts. */
  z.object({
    kind: z.literal('feedback.given'),
    at,
    by: personSchema,
    run: z.string(),
    machine: z.string(),
    trace: z.string(),
    rating: z.enum(['good', 'bad']),
    reason: z.string().optional(),
  }),
  /** What a budget allows for the period is used up: no agent starts on its account until the next one. */
  z.object({
    kind: z.literal('budget.exceeded'),
    at,
    budget: z.string(),
    /** Its first day, such as 2026-11-23 or 2026-11. UTC. */
    period: z.string(),
    limitUsd: z.number(),
    spentUsd: z.number(),
  }),
  /** A person set up or removed a schedule in Slack. */
  z.object({
    kind: z.literal('schedule.changed'),
    at,
    by: personSchema,
    change: z.enum(['added', 'removed']),
    schedule: scheduleSchema,
  }),
]);
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;
