import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/** A span as it came over the wire. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root span. */
  readonly parentSpanId: string;
  readonly name: string;
  /** OTLP's numbers: 1 internal, 3 client, 5 consumer. */
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The attributes of the process that it is of. */
  readonly resource: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 2 is an error. */
  readonly status: { readonly code: number; readonly message: string };
}

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How the receiver answers; `silent` takes the request and never answers. */
export type ReceiverAnswer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | 'silent';

export interface OtlpReceiver {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** All spans so far, in the order of their arrival. */
  readonly spans: readonly ReceivedSpan[];
  answer: ReceiverAnswer;
  /** A batch with such a span is refused with 422 and nothing of it kept, as MLflow does. */
  refuses: (span: ReceivedSpan) => boolean;
  close(): Promise<void>;
}

/** Takes OTLP over HTTP as MLflow does, and decodes its protobuf or JSON (opentelemetry-proto, trace/v1). */
export async function startOtlpReceiver(host = '127.0.0.1', listenPort = 0): Promise<OtlpReceiver> {
  const requests: ReceivedRequest[] = [];
  const spans: ReceivedSpan[] = [];
  const server = createServer(async (request, response) => {
    const sent = Buffer.concat(await Array.fromAsync(request));
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    requests.push({ path: request.url ?? '', headers: request.headers, body });
    const { answer } = receiver;
    if (answer === 'silent') return;
    const type = request.headers['content-type'] ?? '';
    if (answer.status === 200) {
      const received = type === 'application/json' ? decodeJson(body) : decodeExport(body);
      if (received.some((span) => receiver.refuses(span))) {
        response
          .writeHead(422, { 'content-type': 'application/json' })
          .end('{"detail":"Cannot convert a span"}');
        return;
      }
      spans.push(...received);
    }
    response.writeHead(answer.status, { 'content-type': type, ...answer.headers }).end(answer.body);
  });
  server.listen(listenPort, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}`,
    requests,
    spans,
    answer: { status: 200 },
    refuses: () => false,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return receiver;
}

type Field = { readonly number: number; readonly value: bigint | Buffer };

/** The fields of a protobuf message: varints and fixed numbers as bigint, everything else as bytes. */
function* fields(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number) => {
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const key = Number(varint());
    const number = key >> 3;
    const wireType = key & 7;
    if (wireType === 0) yield { number, value: varint() };
    else if (wireType === 1) yield { number, value: bytes(8).readBigUInt64LE() };
    else if (wireType === 2) yield { number, value: bytes(Number(varint())) };
    else if (wireType === 5) yield { number, value: BigInt(bytes(4).readUInt32LE()) };
    else throw new Error(`protobuf wire type ${wireType}`);
  }
}

function messages(message: Buffer, number: number): Buffer[] {
  return [...fields(message)].flatMap((f) =>
    f.number === number && Buffer.isBuffer(f.value) ? [f.value] : [],
  );
}

function text(message: Buffer, number: number, encoding: 'utf8' | 'hex' = 'utf8'): string {
  return messages(message, number)[0]?.toString(encoding) ?? '';
}

function number(message: Buffer, field: number): bigint {
  const found = [...fields(message)].find((f) => f.number === field)?.value;
  return typeof found === 'bigint' ? found : 0n;
}

function decodeExport(body: Buffer): ReceivedSpan[] {
  return messages(body, 1).flatMap((resourceSpans) => {
    const resource = decodeAttributes(messages(resourceSpans, 1)[0] ?? Buffer.alloc(0), 1);
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({ ...decodeSpan(span), resource }));
  });
}

/** A name that comes twice has its last value, as for MLflow. */
function decodeAttributes(message: Buffer, field: number): ReceivedSpan['attributes'] {
  return Object.fromEntries(messages(message, field).map((pair) => [text(pair, 1), decodeValue(pair)]));
}

function decodeSpan(span: Buffer): Omit<ReceivedSpan, 'resource'> {
  const [status = Buffer.alloc(0)] = messages(span, 15);
  return {
    traceId: text(span, 1, 'hex'),
    spanId: text(span, 2, 'hex'),
    parentSpanId: text(span, 4, 'hex'),
    name: text(span, 5),
    kind: Number(number(span, 6)),
    startMs: Number(number(span, 7)) / 1e6,
    endMs: Number(number(span, 8)) / 1e6,
    attributes: decodeAttributes(span, 9),
    links: messages(span, 13).map((link) => ({
      traceId: text(link, 1, 'hex'),
      spanId: text(link, 2, 'hex'),
    })),
    status: { code: Number(number(status, 3)), message: text(status, 2) },
  };
}

/** AnyValue: 1 string, 2 bool, 3 int, 4 double. */
function decodeValue(pair: Buffer): string | number | boolean {
  const [any = Buffer.alloc(0)] = messages(pair, 2);
  const [field] = fields(any);
  if (field === undefined) return '';
  if (Buffer.isBuffer(field.value)) return field.value.toString();
  if (field.number === 2) return field.value === 1n;
  if (field.number === 3) return Number(BigInt.asIntN(64, field.value));
  return Buffer.from(new BigUint64Array([field.value]).buffer).readDoubleLE();
}

const jsonValueSchema = z.union([
  z.strictObject({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.strictObject({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }).transform(({ intValue }) => Number(intValue)),
  z.strictObject({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
]);

const attributesSchema = z
  .array(z.strictObject({ key: z.string(), value: jsonValueSchema }))
  .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, value])));

const nanosecondsSchema = z
  .string()
  .regex(/^\d+$/)
  .transform((nanoseconds) => Number(nanoseconds) / 1e6);

/** Strict, because a real receiver refuses what it does not know. */
const jsonSpanSchema = z.strictObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .default(''),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: nanosecondsSchema,
  endTimeUnixNano: nanosecondsSchema,
  attributes: attributesSchema,
  status: z
    .strictObject({ code: z.int(), message: z.string().default('') })
    .default({ code: 0, message: '' }),
});

const jsonExportSchema = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: attributesSchema }),
      scopeSpans: z.array(
        z.strictObject({ scope: z.looseObject({ name: z.string() }), spans: z.array(jsonSpanSchema) }),
      ),
    }),
  ),
});

function decodeJson(body: Buffer): ReceivedSpan[] {
  return jsonExportSchema
    .parse(JSON.parse(body.toString()))
    .resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, resource: resource.attributes }))),
    )
    .map(({ startTimeUnixNano: startMs, endTimeUnixNano: endMs, ...span }) => ({
      ...{ ...span, startMs, endMs, links: [] },
    }));
}
