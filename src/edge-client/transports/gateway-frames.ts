import { z } from 'zod';

/*
 * What is read of the OpenClaw gateway's WebSocket protocol, version 4, as captured from openclaw 2026.9.6.
 * Frames carry far more (a tool event alone holds the whole session record); everything not named here is
 * dropped on purpose, so that a newer gateway's additions do no harm.
 */

/** The protocol version that is spoken here. */
export const gatewayProtocolVersion = 4;

/** The answer to a request. A run's failure holds both `payload` and `error`; a refusal only `error`. */
export const responseSchema = z.object({
  type: z.literal('res'),
  id: z.string(),
  ok: z.boolean(),
  payload: z.unknown().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});

export const eventSchema = z.object({
  type: z.literal('event'),
  event: z.string(),
  payload: z.unknown().optional(),
});

export const frameSchema = z.discriminatedUnion('type', [responseSchema, eventSchema]);

/** First response to `agent`; the final one follows under the same id. */
export const acceptedSchema = z.object({ status: z.literal('accepted') });

/** Payload of event `agent`. Events of every run reach every client: look at `runId`. */
export const agentEventSchema = z.object({
  runId: z.string(),
  stream: z.string(),
  data: z.unknown().optional(),
});

export const toolStartSchema = z.object({
  phase: z.literal('start'),
  toolCallId: z.string(),
  name: z.string(),
  args: z.unknown().optional(),
});

export const toolResultSchema = z.object({
  phase: z.literal('result'),
  toolCallId: z.string(),
  name: z.string(),
  /** True for a call that was denied or could not be made; a command that exits with 1 is no error here. */
  isError: z.boolean().default(false),
  result: z
    .object({
      content: z.array(z.object({ text: z.string().optional() })).default([]),
      details: z
        .object({
          exitCode: z.int().nullable().optional(),
          /** Why it could not be made, or was denied. */
          error: z.string().optional().catch(undefined),
        })
        .optional(),
    })
    .catch({ content: [] }),
});

/** `data` of stream `tool`; the phase `update` is left out. */
export const toolEventSchema = z.discriminatedUnion('phase', [toolStartSchema, toolResultSchema]);

/** `data` of stream `assistant`: what the model has said in this turn so far. */
export const assistantEventSchema = z.object({ text: z.string() });

/** `data` of stream `usage`: what the run has put out so far, all model calls together. */
export const usageEventSchema = z.object({ outputTokens: z.int() });

/** `data` of stream `lifecycle` while the gateway holds a command back until somebody approves it. */
export const waitingEventSchema = z.object({
  phase: z.literal('waiting-approval'),
  toolCallId: z.string().catch(''),
});

/** `data` of stream `approval` when a command is left for somebody to approve later. */
export const approvalEventSchema = z.object({ phase: z.literal('requested') });

/** How the events end that ask for an approval: `exec.…`, `plugin.…`, and whatever other kinds there may be. */
export const approvalRequestedSuffix = 'approval.requested';

/** Payload of such an event. What the request holds differs by its kind. */
export const approvalRequestedSchema = z.object({ request: z.unknown() });

/** More than any run uses; what tells more is a mistake, or means harm to the sums. */
const tokensMax = 1e9;

/** A number of tokens. */
export const tokensSchema = z.int().nonnegative().max(tokensMax);

/** Payload of the final response to `agent`. `status` is `ok`, `error` or `timeout` (an abort is `timeout` too). */
export const finalSchema = z.object({
  status: z.string(),
  summary: z.string().optional(),
  result: z
    .object({
      payloads: z
        .array(z.object({ text: z.string().nullish(), isError: z.boolean().optional() }))
        .default([]),
      meta: z
        .object({
          error: z.object({ message: z.string() }).optional(),
          agentMeta: z
            .object({
              model: z.string().optional(),
              /** `input` leaves out what came from the cache. What cannot be, and nothing at all, counts as not told. */
              usage: z
                .object({
                  input: tokensSchema.default(0),
                  output: tokensSchema.default(0),
                  cacheRead: tokensSchema.default(0),
                  cacheWrite: tokensSchema.default(0),
                })
                .refine(
                  ({ input, output, cacheRead, cacheWrite }) => input + output + cacheRead + cacheWrite > 0,
                )
                .optional()
                .catch(undefined),
            })
            .optional(),
        })
        .optional(),
    })
    .optional(),
});

export type Response = z.infer<typeof responseSchema>;
export type Final = z.infer<typeof finalSchema>;
export type ToolEvent = z.infer<typeof toolEventSchema>;
