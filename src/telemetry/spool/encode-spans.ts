import type { HrTime, Link } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { type OtlpSpan, type OtlpTraces, otlpFlags } from './otlp-json.ts';
import { toPairs } from './otlp-values.ts';

type ResourceSpans = OtlpTraces['resourceSpans'][number];
type Scope = ReadableSpan['instrumentationScope'];
type ScopeSpans = NonNullable<ResourceSpans['scopeSpans']>[number];

const nanosecondsPerSecond = 1_000_000_000n;

/** Spans as OTLP/JSON. Their order is kept as far as they are of one resource and scope. */
export function encodeSpans(spans: readonly ReadableSpan[]): OtlpTraces {
  const resources = new Map<ReadableSpan['resource'], Map<Scope, ReadableSpan[]>>();
  for (const span of spans) {
    const scopes = resources.get(span.resource) ?? new Map<Scope, ReadableSpan[]>();
    resources.set(span.resource, scopes);
    const alike = scopes.get(span.instrumentationScope) ?? [];
    scopes.set(span.instrumentationScope, alike);
    alike.push(span);
  }
  return {
    resourceSpans: [...resources].map(([resource, scopes]) => ({
      resource: { attributes: toPairs(resource.attributes) },
      ...(resource.schemaUrl && { schemaUrl: resource.schemaUrl }),
      scopeSpans: [...scopes].map(([scope, alike]) => scopeSpans(scope, alike)),
    })),
  };
}

function scopeSpans({ name, version, schemaUrl }: Scope, spans: readonly ReadableSpan[]): ScopeSpans {
  return {
    scope: { name, ...(version && { version }) },
    ...(schemaUrl && { schemaUrl }),
    spans: spans.map(encodeSpan),
  };
}

function encodeSpan(span: ReadableSpan): OtlpSpan {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const { parentSpanContext: parent, status } = span;
  const state = traceState?.serialize();
  return {
    traceId,
    spanId,
    ...(state && { traceState: state }),
    ...(parent && { parentSpanId: parent.spanId }),
    flags: flagsOf(traceFlags, parent?.isRemote),
    name: span.name,
    // OTLP counts from 1; its 0 says nothing of the kind.
    kind: span.kind + 1,
    startTimeUnixNano: nanoseconds(span.startTime),
    endTimeUnixNano: nanoseconds(span.endTime),
    attributes: toPairs(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map(({ name, time, attributes = {}, droppedAttributesCount = 0 }) => ({
      timeUnixNano: nanoseconds(time),
      name,
      attributes: toPairs(attributes),
      droppedAttributesCount,
    })),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map(encodeLink),
    droppedLinksCount: span.droppedLinksCount,
    status: { code: status.code, ...(status.message !== undefined && { message: status.message }) },
  };
}

function encodeLink({ context, attributes = {}, droppedAttributesCount = 0 }: Link) {
  const { traceId, spanId, traceFlags, traceState, isRemote } = context;
  const state = traceState?.serialize();
  return {
    traceId,
    spanId,
    ...(state && { traceState: state }),
    flags: flagsOf(traceFlags, isRemote),
    attributes: toPairs(attributes),
    droppedAttributesCount,
  };
}

function flagsOf(traceFlags: number, isRemote = false): number {
  const { traceFlagsMask, hasIsRemote, isRemote: remote } = otlpFlags;
  return (traceFlags & traceFlagsMask) | hasIsRemote | (isRemote ? remote : 0);
}

function nanoseconds([seconds, rest]: HrTime): string {
  return (BigInt(Math.trunc(seconds)) * nanosecondsPerSecond + BigInt(Math.trunc(rest))).toString();
}
