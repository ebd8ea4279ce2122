import { z } from 'zod';
import { installedSchema } from '../fleet/edge-kit.ts';
import { evidenceSchema } from '../fleet/evidence.ts';

/**
 * The gate's wire protocol, version 1: one SSH exec request per verb, exact grammar, single spaces.
 *
 *   status | start FENCE RUN TRACEPARENT | connect FENCE | stop FENCE | evidence FENCE CHECK
 *   act FENCE | result ID | lock REASON… | unlock [REASON…]
 *
 * Success: exit code 0 and one JSON object on stdout (for `connect`: stdin and stdout are the bytes of a
 * connection to the gateway's loopback port). Refusal: exit code 1 and one JSON object (`refusalSchema`) on
 * stderr, nothing on stdout. FENCE is a decimal integer without leading zeros; RUN matches `runIdPattern`;
 * TRACEPARENT is W3C Trace Context version 00; CHECK is a name; ID matches `approvalIdPattern` of fleet/approval.ts;
 * REASON is 1–200 printable characters.
 *
 * A fence lower than the highest one seen is refused (`old-fence`). `stop FENCE` also retires FENCE: a later
 * `start` needs a higher one, so that a start that was still under way cannot come after its stop.
 *
 * Every verb with a FENCE but `connect` raises the highest fence seen. `start` again with the fence and run of the
 * running activation returns its token; any other `start` while an agent runs is refused (`unit-failed`): `stop`
 * comes first. `connect` wants the activation's own fence and an active unit (else `not-active`); while the
 * gateway's port takes no connections yet, its channel just ends, with exit code 0 and no bytes. `lock` stops the
 * agent and ends an action that may be interrupted, or that has not had its turn yet; while locked only `start` and
 * `act` are refused. `unlock REASON` lifts only the lock that has this very reason, so that one who comes late does not
 * lift another's; the reply says whether the machine is locked then.
 *
 * `act` reads one JSON object from stdin (`signedCapsuleSchema` of fleet/capsule.ts) and replies `running` as soon as
 * the action has begun; a refusal means that it has not. It begins an id once, ever; one action at a time; none while
 * the agent runs, and no agent starts while one runs (`unit-failed`). No other verb comes between its look at the fence
 * and the beginning. `result` tells of an id as often as asked: `unknown` where none of it was begun, also where a lock
 * came before its turn; `lost` where the machine restarted in its middle.
 */
export const gateProtocolVersion = 1;

export const runIdPattern = /^r-[0-9a-z]{10,32}$/;

/** systemd's ActiveState of the agent's unit, reduced to what matters here. */
export const agentStates = ['inactive', 'activating', 'active', 'deactivating', 'failed'] as const;

/** An action that runs in a unit of its own and that neither `stop` nor `lock` ends. */
const uninterruptibleSchema = z.object({ id: z.string(), name: z.string() });

export const statusReplySchema = z.object({
  protocol: z.literal(gateProtocolVersion),
  machine: z.string(),
  agent: z.enum(agentStates),
  /** The run of the current activation, while there is one. */
  run: z.string().nullable(),
  /** The highest fence that the machine has seen; 0 when it has seen none. */
  fence: z.int().nonnegative(),
  lock: z.object({ reason: z.string(), at: z.iso.datetime() }).nullable(),
  /** The action under way that must not be interrupted; absent where there is none. */
  action: uninterruptibleSchema.optional(),
  /** Absent on simulated machines. */
  installed: installedSchema.optional(),
  /** The machine's clock. */
  clock: z.iso.datetime(),
});

export const startReplySchema = z.object({
  /** Bearer token of the gateway, minted for this activation alone. */
  token: z.string().min(16),
});

export const stopReplySchema = z.object({
  /** Measured after the stop: the unit's state. `inactive` and `failed` both mean that no process is left. */
  agent: z.enum(agentStates),
});

export const evidenceReplySchema = evidenceSchema;

export const lockReplySchema = z.object({
  locked: z.boolean(),
  agent: z.enum(agentStates),
  /** What goes on although the machine is locked, until it ends by itself. */
  action: uninterruptibleSchema.optional(),
});

/** `result ID` and `act`: what the broker knows of an action. */
export const actionReplySchema = z.object({
  id: z.string(),
  outcome: z.enum(['done', 'failed', 'running', 'lost', 'unknown']),
  /** A sentence. */
  detail: z.string(),
  /** Once it has ended: null where it was ended by its time limit, a lock or a signal. */
  exitCode: z.int().nullable().optional(),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
});

export const refusalCodes = [
  'verb-refused',
  'old-fence',
  'locked',
  'not-active',
  'unit-failed',
  'internal',
] as const;

export const refusalSchema = z.object({
  code: z.enum(refusalCodes),
  /** One sentence for the operator. */
  message: z.string(),
  /** With `old-fence`: the highest fence seen. */
  fence: z.int().optional(),
});

export type StatusReply = z.infer<typeof statusReplySchema>;
export type StartReply = z.infer<typeof startReplySchema>;
export type StopReply = z.infer<typeof stopReplySchema>;
export type LockReply = z.infer<typeof lockReplySchema>;
export type ActionReply = z.infer<typeof actionReplySchema>;
export type Refusal = z.infer<typeof refusalSchema>;
export type AgentState = (typeof agentStates)[number];
