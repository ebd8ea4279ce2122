import { randomBytes } from 'node:crypto';
import { request } from 'node:https';

type Value = string | number | boolean;

/** A span to send; what is not said is as an honest one of the plugin has it. */
export interface SpanToSend {
  readonly traceId?: string;
  readonly spanId?: string;
  /** Empty for a root. */
  readonly parentSpanId?: string;
  readonly name?: string;
  /** In this order; a name may come twice. */
  readonly attributes?: readonly (readonly [string, Value])[];
  readonly startMs?: number;
  readonly endMs?: number;
  /** Other fields of OTLP/JSON. */
  readonly more?: object;
}

export interface Sender {
  readonly machine: string;
  readonly password: string;
  readonly resource?: readonly (readonly [string, Value])[];
  /** The certificate of the authority, where it is sent to over TLS. */
  readonly ca?: string;
}

export const randomHex = (digits: number): string => randomBytes(digits / 2).toString('hex');

/** Sends spans in one request, as whoever knows the machine's password can. Resolves with the answer's status. */
export async function sendSpans(
  url: string,
  { machine, password, resource = [], ca }: Sender,
  spans: readonly SpanToSend[],
): Promise<number> {
  const scopeSpans = [{ scope: { name: 'fleetbot' }, spans: spans.map(encodeSpan) }];
  const body = JSON.stringify({
    resourceSpans: [{ resource: { attributes: encodeAttributes(resource) }, scopeSpans }],
  });
  const authorization = `Basic ${Buffer.from(`${machine}:${password}`).toString('base64')}`;
  const headers = { 'content-type': 'application/json', authorization };
  if (ca !== undefined) return sendOverTls(`${url}/v1/traces`, ca, headers, body);
  const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
}

/** `fetch` can be told no authority of one's own. */
function sendOverTls(
  url: string,
  ca: string,
  headers: Record<string, string>,
  body: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', ca, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject).end(body);
  });
}

function encodeSpan(span: SpanToSend): object {
  const { attributes = [], startMs = Date.now() - 1_000, endMs = Date.now(), more } = span;
  return {
    traceId: span.traceId ?? randomHex(32),
    spanId: span.spanId ?? randomHex(16),
    parentSpanId: span.parentSpanId ?? randomHex(16),
    name: span.name ?? 'tool.execution',
    kind: 1,
    startTimeUnixNano: `${startMs}000000`,
    endTimeUnixNano: `${endMs}000000`,
    attributes: encodeAttributes(attributes),
    ...more,
  };
}

function encodeAttributes(attributes: readonly (readonly [string, Value])[]): object[] {
  return attributes.map(([key, value]) => ({ key, value: encodeValue(value) }));
}

function encodeValue(value: Value): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
