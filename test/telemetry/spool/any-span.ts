import { createTraceState, type HrTime, type SpanContext } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { anyText } from '../../support/any-text.ts';

const hex = (digits: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
    .map((values) => values.map((value) => value.toString(16)).join(''));

const time: fc.Arbitrary<HrTime> = fc.tuple(
  fc.integer({ min: 0, max: 2 ** 33 }),
  fc.integer({ min: 0, max: 999_999_999 }),
);

/** -0 is 0 on the wire. */
const number = fc
  .oneof(fc.integer(), fc.maxSafeInteger(), fc.double())
  .map((value) => (value === 0 ? 0 : value));

const scalar = fc.oneof(anyText({ maxLength: 20 }), fc.boolean(), number);
const value = fc.oneof(
  scalar,
  fc.array(anyText({ maxLength: 5 }), { maxLength: 3 }),
  fc.array(number, { maxLength: 3 }),
  fc.constant(null),
  fc.uint8Array({ maxLength: 5 }),
  fc.dictionary(anyText({ maxLength: 5 }), fc.array(scalar, { maxLength: 2 }), { maxKeys: 2 }),
);
const attributes = fc.dictionary(anyText({ maxLength: 8 }), value, { maxKeys: 4, noNullPrototype: true });
const count = fc.integer({ min: 0, max: 9 });

const context: fc.Arbitrary<SpanContext> = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  traceFlags: fc.constantFrom(0, 1),
});
const traceState = fc.constantFrom({}, { traceState: createTraceState('vendor=value,other=1') });
const link = fc.record({
  context: fc
    .tuple(context, traceState, fc.boolean())
    .map(([ids, state, isRemote]) => ({ ...ids, ...state, isRemote })),
  attributes,
  droppedAttributesCount: count,
});
const event = fc.record({ name: anyText({ maxLength: 8 }), time, attributes, droppedAttributesCount: count });

const resources = [
  resourceFromAttributes({ 'service.name': 'fleetbot' }),
  resourceFromAttributes({ 'host.name': 'rhel-01', ports: [1, 2] }, { schemaUrl: 'https://example.com/1' }),
];
const scopes = [{ name: 'fleetbot' }, { name: 'other', version: '1.2', schemaUrl: 'https://example.com/2' }];

/** Any span that has ended, of one of two resources and one of two scopes. */
export const anySpan: fc.Arbitrary<ReadableSpan> = fc
  .record({
    name: anyText({ maxLength: 20 }),
    kind: fc.integer({ min: 0, max: 4 }),
    context: fc.tuple(context, traceState).map(([ids, state]) => ({ ...ids, ...state })),
    parent: fc.option(fc.record({ spanId: hex(16), isRemote: fc.boolean() }), { nil: undefined }),
    startTime: time,
    durationNs: fc.bigInt({ min: 0n, max: 10n ** 15n }),
    status: fc.oneof(
      fc.record({ code: fc.constantFrom(0, 1, 2) }),
      fc.record({ code: fc.constant(2), message: anyText({ maxLength: 20 }) }),
    ),
    attributes,
    links: fc.array(link, { maxLength: 2 }),
    events: fc.array(event, { maxLength: 2 }),
    resource: fc.constantFrom(...resources),
    instrumentationScope: fc.constantFrom(...scopes),
    droppedAttributesCount: count,
    droppedEventsCount: count,
    droppedLinksCount: count,
  })
  .map(({ context, parent, durationNs, ...span }) => {
    const { traceId, traceFlags } = context;
    return {
      ...span,
      spanContext: () => context,
      ...(parent && { parentSpanContext: { traceId, traceFlags, ...parent } }),
      ...{ endTime: later(span.startTime, durationNs), duration: later([0, 0], durationNs), ended: true },
    };
  });

function later([seconds, rest]: HrTime, ns: bigint): HrTime {
  const total = BigInt(seconds) * 10n ** 9n + BigInt(rest) + ns;
  return [Number(total / 10n ** 9n), Number(total % 10n ** 9n)];
}
