import { z } from 'zod';
import { agentId } from './gateway-facts.ts';

const name = z.string().min(1);

/** A request frame; `traceparent` is accepted, and nothing here records a trace. */
export const requestFrameSchema = z.strictObject({
  type: z.literal('req'),
  id: name,
  method: name,
  params: z.unknown(),
  traceparent: z.string().max(128).optional(),
});

const clientIds = ['gateway-client', 'cli', 'openclaw-tui', 'webchat', 'test', 'openclaw-probe'] as const;
const clientModes = ['backend', 'cli', 'ui', 'webchat', 'probe', 'test'] as const;

export const connectParamsSchema = z.strictObject({
  minProtocol: z.int(),
  maxProtocol: z.int(),
  client: z.strictObject({
    id: z.enum(clientIds),
    version: z.string(),
    platform: z.string(),
    mode: z.enum(clientModes),
    displayName: z.string().optional(),
    instanceId: z.string().optional(),
  }),
  role: z.literal('operator').default('operator'),
  scopes: z.array(z.string()).default([]),
  caps: z.array(z.string()).default([]),
  auth: z.strictObject({ token: z.string() }).optional(),
});

export const agentParamsSchema = z.strictObject({
  message: name,
  idempotencyKey: name,
  agentId: name.optional(),
  sessionKey: name.optional(),
  /** Seconds. */
  timeout: z.int().nonnegative().optional(),
});

export const waitParamsSchema = z.strictObject({
  runId: name,
  timeoutMs: z.int().nonnegative().max(600_000).default(30_000),
});

export const abortParamsSchema = z.strictObject({ key: name.optional(), runId: name.optional() });

/** Why a request is refused. `details.code` tells more than `code`, which is the same for most. */
export interface FrameError {
  readonly code: 'INVALID_REQUEST' | 'NOT_PAIRED' | 'FORBIDDEN' | 'UNAVAILABLE';
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The answer to a request. A failed run has both a payload and an error. */
export interface Response {
  readonly ok: boolean;
  readonly payload?: object;
  readonly error?: FrameError;
}

export type RequestFrame = z.infer<typeof requestFrameSchema>;
export type ConnectParams = z.infer<typeof connectParamsSchema>;

/** The first thing that is wrong with a value, worded as the gateway words it. */
export function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'at root' : `at /${issue.path.join('/')}`;
  return `${where}: ${issue?.message ?? 'invalid'}`;
}

/** A request that the sender has to correct. */
export function invalid(message: string): FrameError {
  return { code: 'INVALID_REQUEST', message };
}

/** `plain` becomes `agent:edge:plain`. */
export function scopedKey(key: string): string {
  return key.startsWith('agent:') ? key : `agent:${agentId}:${key}`;
}
