/** A span that has ended. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: 'internal' | 'client';
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** One line; its being there marks the span as failed. */
  readonly error?: string;
}

/** Numbers of OTLP's `trace.proto`. */
const kinds = { internal: 1, client: 3 };
const errorStatus = 2;

/**
 * A span as OTLP/JSON (opentelemetry-proto 1.x, `trace/v1`: ids in hex, 64-bit numbers as strings).
 * @param clean passes every text on its way out
 */
export function encodeSpan(span: Span, clean: (text: string) => string): string {
  return JSON.stringify({
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId && { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: kinds[span.kind],
    startTimeUnixNano: nanoseconds(span.startMs),
    endTimeUnixNano: nanoseconds(span.endMs),
    attributes: encodeAttributes(span.attributes, clean),
    ...(span.error !== undefined && { status: { code: errorStatus, message: clean(span.error) } }),
  });
}

/** The body of an export request with spans that are encoded already. */
export function exportBody(resource: Span['attributes'], spans: readonly string[]): string {
  const attributes = JSON.stringify(encodeAttributes(resource, (text) => text));
  return (
    `{"resourceSpans":[{"resource":{"attributes":${attributes}},` +
    `"scopeSpans":[{"scope":{"name":"fleetbot"},"spans":[${spans.join(',')}]}]}]}`
  );
}

function encodeAttributes(attributes: Span['attributes'], clean: (text: string) => string) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: encodeValue(value, clean) }));
}

function encodeValue(value: string | number | boolean, clean: (text: string) => string) {
  if (typeof value === 'string') return { stringValue: clean(value) };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function nanoseconds(ms: number): string {
  return `${Math.round(ms)}000000`;
}
