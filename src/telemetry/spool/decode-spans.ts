import { createTraceState, type HrTime, type Link, type SpanContext } from '@opentelemetry/api';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import {
  type OtlpResource,
  type OtlpSpan,
  type OtlpTraces,
  otlpFlags,
  otlpTracesSchema,
} from './otlp-json.ts';
import { fromPairs } from './otlp-values.ts';

const nanosecondsPerSecond = 1_000_000_000n;
const noTime = '0';

type Scope = ReadableSpan['instrumentationScope'];
type OtlpLink = NonNullable<OtlpSpan['links']>[number];

/**
 * Makes spans of OTLP/JSON for an exporter. Those of one resource and scope share them, over all that one decoder
 * has decoded: the exporter groups spans by them.
 */
export class SpanDecoder {
  readonly #resources = new Map<string, Resource>();
  readonly #scopes = new Map<string, Scope>();

  /** The spans in a value of JSON; undefined where it is no OTLP/JSON. */
  decode(json: unknown): ReadableSpan[] | undefined {
    const traces = otlpTracesSchema.safeParse(json).data;
    return traces && this.#spans(traces);
  }

  #spans({ resourceSpans }: OtlpTraces): ReadableSpan[] {
    return resourceSpans.flatMap((of) => {
      const resource = this.#resource(of);
      return (of.scopeSpans ?? []).flatMap(({ scope = {}, schemaUrl = '', spans = [] }) => {
        const { name = '', version = '' } = scope;
        const instrumentationScope = this.#scope(name, version, schemaUrl);
        return spans.map((span) => decodeSpan(span, resource, instrumentationScope));
      });
    });
  }

  #resource({ resource, schemaUrl }: OtlpResource): Resource {
    return once(this.#resources, JSON.stringify([resource?.attributes, schemaUrl]), () =>
      resourceFromAttributes(fromPairs(resource?.attributes), schemaUrl === undefined ? {} : { schemaUrl }),
    );
  }

  #scope(name: string, version: string, schemaUrl: string): Scope {
    return once(this.#scopes, JSON.stringify([name, version, schemaUrl]), () => ({
      name,
      ...(version && { version }),
      ...(schemaUrl && { schemaUrl }),
    }));
  }
}

function once<Made>(known: Map<string, Made>, key: string, make: () => Made): Made {
  const made = known.get(key) ?? make();
  known.set(key, made);
  return made;
}

function decodeSpan(span: OtlpSpan, resource: Resource, instrumentationScope: Scope): ReadableSpan {
  const context = contextOf(span);
  const { parentSpanId, kind = 1, flags = 0, status = {} } = span;
  const start = BigInt(span.startTimeUnixNano);
  const end = BigInt(span.endTimeUnixNano ?? noTime);
  return {
    name: span.name,
    // OTLP counts from 1; its 0 says nothing of the kind, which is internal then.
    kind: Math.max(kind - 1, 0),
    spanContext: () => context,
    ...(parentSpanId && {
      parentSpanContext: {
        traceId: span.traceId,
        spanId: parentSpanId,
        traceFlags: context.traceFlags,
        isRemote: (flags & otlpFlags.isRemote) !== 0,
      },
    }),
    startTime: toTime(start),
    endTime: toTime(end),
    duration: toTime(end - start),
    ended: end > 0n,
    status: { code: status.code ?? 0, ...(status.message !== undefined && { message: status.message }) },
    attributes: fromPairs(span.attributes),
    links: (span.links ?? []).map(decodeLink),
    events: (span.events ?? []).map(({ timeUnixNano = noTime, name = '', ...event }) => ({
      time: toTime(BigInt(timeUnixNano)),
      name,
      attributes: fromPairs(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount ?? 0,
    })),
    resource,
    instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount ?? 0,
    droppedEventsCount: span.droppedEventsCount ?? 0,
    droppedLinksCount: span.droppedLinksCount ?? 0,
  };
}

function decodeLink(link: OtlpLink): Link {
  const isRemote = ((link.flags ?? 0) & otlpFlags.isRemote) !== 0;
  return {
    context: { ...contextOf(link), isRemote },
    attributes: fromPairs(link.attributes),
    droppedAttributesCount: link.droppedAttributesCount ?? 0,
  };
}

function contextOf(of: Pick<OtlpSpan, 'traceId' | 'spanId' | 'traceState' | 'flags'>): SpanContext {
  const { traceId, spanId, traceState, flags = 0 } = of;
  return {
    traceId,
    spanId,
    traceFlags: flags & otlpFlags.traceFlagsMask,
    ...(traceState && { traceState: createTraceState(traceState) }),
  };
}

function toTime(nanoseconds: bigint): HrTime {
  return [Number(nanoseconds / nanosecondsPerSecond), Number(nanoseconds % nanosecondsPerSecond)];
}
