import { z } from 'zod';
import { verdictSchema } from './finding.ts';
import { findingKinds } from './notice.ts';
import { originSchema, requesterSchema, taskSchema } from './request.ts';
import { inertnessSchema } from './run.ts';

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
    runs: z.array(z.object({ run: z.string(), machine: z.string() })),
  }),
  /** The access table, or a limit, said no. `what` is a verb or a command's name. */
  z.object({
    kind: z.enum(['request.denied', 'request.limited']),
    at,
    by: requesterSchema,
    what: z.string(),
    target: z.string(),
    reason: z.string(),
  }),
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
  z.object({
    kind: z.literal('run.done'),
    at,
    run: z.string(),
    machine: z.string(),
    verdict: verdictSchema,
    inertness: inertnessSchema,
    failure: z.string().optional(),
    /** What became of the agent, where it failed or went over a limit. */
    agentFailure: z.string().optional(),
    costUsd: z.number().optional(),
  }),
  z.object({
    kind: z.literal('halt.began'),
    at,
    by: requesterSchema,
    halt: z.string(),
    selector: z.string(),
    reason: z.string(),
  }),
  z.object({
    kind: z.enum(['halt.resume-asked', 'halt.released']),
    at,
    by: requesterSchema,
    agreedBy: requesterSchema.optional(),
    halt: z.string(),
    selector: z.string(),
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
  }),
]);
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;
