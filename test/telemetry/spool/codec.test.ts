import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { SpanDecoder } from '../../../src/telemetry/spool/decode-spans.ts';
import { exportSpans } from '../../../src/telemetry/spool/export-spans.ts';
import { endedLines, openedLine, readLine } from '../../../src/telemetry/spool/lines.ts';
import { startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { anySpan } from './any-span.ts';

/** What a decoder makes of the lines that spans are written as. */
function throughLines(spans: readonly ReadableSpan[]): ReadableSpan[] {
  const decoder = new SpanDecoder();
  return endedLines(spans).flatMap(({ text }) => readLine(text.trimEnd(), decoder)?.spans ?? []);
}

/** All that is told of a span, as values that can be compared. */
function told({ spanContext, resource, links, ...span }: ReadableSpan) {
  const context = (of: ReturnType<typeof spanContext>) => ({
    ...of,
    traceState: of.traceState?.serialize(),
  });
  return {
    ...span,
    ...{ context: context(spanContext()), resource: resource.attributes, schemaUrl: resource.schemaUrl },
    links: links.map((link) => ({ ...link, context: context(link.context) })),
  };
}

const byId = (one: ReadableSpan, other: ReadableSpan) =>
  one.spanContext().spanId.localeCompare(other.spanContext().spanId);

it('a span comes back from its line as it was', () => {
  fc.assert(
    fc.property(fc.array(anySpan, { maxLength: 5 }), (spans) => {
      const back = throughLines(spans);
      expect(back.toSorted(byId).map(told)).toEqual(spans.toSorted(byId).map(told));
    }),
    { numRuns: 200 },
  );
});

it('MLflow is sent the same bytes for it as if it had never been written', async () => {
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver.close());
  const exporter = new OTLPTraceExporter({ url: receiver.url });
  const bytes = async (spans: readonly ReadableSpan[]) => {
    await exportSpans(exporter, spans);
    return receiver.requests.at(-1)?.body.toString('hex');
  };
  const samples = fc.sample(fc.array(anySpan, { minLength: 1, maxLength: 8 }), { numRuns: 20, seed: 7 });
  for (const spans of samples) expect(await bytes(throughLines(spans))).toBe(await bytes(spans));
});

it('what has begun stands in a line that is no OTLP/JSON', () => {
  const [span] = fc.sample(anySpan, 1);
  if (!span) throw new Error('no span');
  const { text } = openedLine([span]);
  expect(new SpanDecoder().decode(JSON.parse(text))).toBeUndefined();
  expect(readLine(text, new SpanDecoder())).toMatchObject({ kind: 'opened', spans: [{ name: span.name }] });
});

it.each([
  '',
  '{"resourceSpans":[{"scopeSp',
  '{}',
  '[]',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}',
])('a line that is none of a spool is no error: %s', (text) => {
  expect(readLine(text, new SpanDecoder())).toBeUndefined();
});

it('takes what a collector writes: fields left out, and numbers as numbers', () => {
  const span = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    parentSpanId: '',
    name: 'tool.execution',
    kind: 1,
    startTimeUnixNano: '1763812800000000001',
    endTimeUnixNano: '1763812800000000002',
    attributes: [
      { key: 'process.exit.code', value: { intValue: '3' } },
      { key: 'ratio', value: { doubleValue: 0.5 } },
      { key: 'argv', value: { arrayValue: { values: [{ stringValue: 'df' }] } } },
      { key: 'nothing', value: {} },
    ],
    status: {},
  };
  const resource = { attributes: [{ key: 'host.name', value: { stringValue: 'rhel-01' } }] };
  const line = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: {}, spans: [span] }] }] });
  const [decoded] = readLine(line, new SpanDecoder())?.spans ?? [];
  expect(decoded).toMatchObject({
    kind: 0,
    startTime: [1_763_812_800, 1],
    endTime: [1_763_812_800, 2],
    attributes: { 'process.exit.code': 3, ratio: 0.5, argv: ['df'], nothing: null },
    status: { code: 0 },
  });
  expect(decoded?.parentSpanContext).toBeUndefined();
  expect(decoded?.resource.attributes).toEqual({ 'host.name': 'rhel-01' });
});
