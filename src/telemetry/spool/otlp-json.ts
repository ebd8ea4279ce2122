import { z } from 'zod';

/**
 * OTLP/JSON as this spool and the collectors' file exporters write it: opentelemetry-proto, trace/v1, with ids in hex
 * and 64-bit numbers as text. What is not said has protobuf's default. Unknown fields are left out.
 */

/** AnyValue. None of the fields: an empty value. */
export interface OtlpValue {
  readonly stringValue?: string | undefined;
  readonly boolValue?: boolean | undefined;
  readonly intValue?: string | number | undefined;
  /** NaN and the infinities are text. */
  readonly doubleValue?: number | 'NaN' | 'Infinity' | '-Infinity' | undefined;
  readonly bytesValue?: string | undefined;
  readonly arrayValue?: { readonly values?: readonly OtlpValue[] | undefined } | undefined;
  readonly kvlistValue?: { readonly values?: readonly OtlpPair[] | undefined } | undefined;
}

export interface OtlpPair {
  readonly key: string;
  readonly value?: OtlpValue | undefined;
}

const valueSchema: z.ZodType<OtlpValue> = z.lazy(() =>
  z.object({
    stringValue: z.string().optional(),
    boolValue: z.boolean().optional(),
    intValue: z.union([z.string().regex(/^-?\d+$/), z.int()]).optional(),
    doubleValue: z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]).optional(),
    bytesValue: z.base64().optional(),
    arrayValue: z.object({ values: z.array(valueSchema).optional() }).optional(),
    kvlistValue: z.object({ values: z.array(pairSchema).optional() }).optional(),
  }),
);

const pairSchema: z.ZodType<OtlpPair> = z.object({ key: z.string(), value: valueSchema.optional() });

const traceId = z.string().regex(/^[0-9a-f]{32}$/i);
const spanId = z.string().regex(/^[0-9a-f]{16}$/i);
const nanoseconds = z.union([z.string().regex(/^\d{1,20}$/), z.int().nonnegative()]);
const count = z.int().nonnegative();

const common = {
  attributes: z.array(pairSchema).optional(),
  droppedAttributesCount: count.optional(),
};

const spanSchema = z.object({
  ...common,
  traceId,
  spanId,
  traceState: z.string().optional(),
  parentSpanId: z.union([spanId, z.literal('')]).optional(),
  /** W3C trace flags in the low byte; bits 8 and 9 say whether the parent is remote, and that this is known. */
  flags: count.optional(),
  name: z.string(),
  kind: z.int().min(0).max(5).optional(),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds.optional(),
  events: z
    .array(z.object({ ...common, timeUnixNano: nanoseconds.optional(), name: z.string().optional() }))
    .optional(),
  droppedEventsCount: count.optional(),
  links: z
    .array(
      z.object({
        ...common,
        traceId,
        spanId,
        traceState: z.string().optional(),
        flags: count.optional(),
      }),
    )
    .optional(),
  droppedLinksCount: count.optional(),
  status: z.object({ code: z.int().min(0).max(2).optional(), message: z.string().optional() }).optional(),
});

const scopeSchema = z.object({
  ...common,
  name: z.string().optional(),
  version: z.string().optional(),
});

export const otlpTracesSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object(common).optional(),
      schemaUrl: z.string().optional(),
      scopeSpans: z
        .array(
          z.object({
            scope: scopeSchema.optional(),
            schemaUrl: z.string().optional(),
            spans: z.array(spanSchema).optional(),
          }),
        )
        .optional(),
    }),
  ),
});

/** ExportTraceServiceRequest: what stands in one line. */
export type OtlpTraces = z.output<typeof otlpTracesSchema>;
export type OtlpResource = OtlpTraces['resourceSpans'][number];
export type OtlpSpan = z.output<typeof spanSchema>;

/** Bits of `flags` (opentelemetry-proto, SpanFlags). */
export const otlpFlags = { traceFlagsMask: 0xff, hasIsRemote: 0x100, isRemote: 0x200 } as const;
