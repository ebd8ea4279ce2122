import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clean } from '../../edge/plugin/clean.ts';
import { Delivery, type DeliveryLimits } from '../../edge/plugin/delivery.ts';
import { encodeSpan, exportBody, type Span } from '../../edge/plugin/span.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';

let collector: OtlpReceiver;
let warnings: string[];
let deliveries: Delivery[];
let strangerListens: boolean;

beforeEach(async () => {
  collector = await startOtlpReceiver();
  warnings = [];
  deliveries = [];
  strangerListens = false;
});

afterEach(async () => {
  // What a test leaves unsent would be sent to whoever listens on that port next.
  collector.answer = { status: 200 };
  strangerListens = false;
  await Promise.all(deliveries.map((delivery) => delivery.flush(5_000)));
  await collector.close();
});

function deliver(limits: Partial<DeliveryLimits> = {}): Delivery {
  const delivery = new Delivery({
    endpoint: `${collector.url}/v1/traces`,
    token: 'the-token',
    strangerListens: async () => strangerListens,
    body: (spans) => exportBody({ 'host.name': 'rhel-01' }, spans),
    warn: (message) => warnings.push(message),
    limits: {
      batchDelayMs: 20,
      requestTimeoutMs: 500,
      firstRetryMs: 10,
      longestRetryMs: 40,
      flushRetryMs: 10,
      ...limits,
    },
  });
  deliveries.push(delivery);
  return delivery;
}

function span(number: number, changes: Partial<Span> = {}): string {
  const plain: Span = {
    traceId: 'a'.repeat(32),
    spanId: number.toString(16).padStart(16, '0'),
    name: `span ${number}`,
    kind: 'internal',
    startMs: 1_000_000,
    endMs: 1_000_020,
    attributes: {},
  };
  return encodeSpan({ ...plain, ...changes }, clean);
}

const names = () => collector.spans.map(({ name }) => name);

test('a span arrives as it was told, with the token', async () => {
  deliver().add(
    span(1, {
      parentSpanId: 'b'.repeat(16),
      kind: 'client',
      attributes: { text: 'Grüße', yes: true, whole: 7, part: 0.25 },
      error: 'it failed',
    }),
  );
  await expect
    .poll(() => collector.spans)
    .toEqual([
      {
        traceId: 'a'.repeat(32),
        spanId: '0000000000000001',
        parentSpanId: 'b'.repeat(16),
        name: 'span 1',
        kind: 3,
        startMs: 1_000_000,
        endMs: 1_000_020,
        attributes: { text: 'Grüße', yes: true, whole: 7, part: 0.25 },
        resource: { 'host.name': 'rhel-01' },
        status: { code: 2, message: 'it failed' },
        links: [],
      },
    ]);
  expect(collector.requests[0]?.headers.authorization).toBe('Bearer the-token');
});

test('no secret leaves, whether in an attribute or in what went wrong', async () => {
  const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
  deliver().add(span(1, { attributes: { said: `token: ${secret}` }, error: `denied: ${secret}` }));
  await expect.poll(() => collector.spans).toHaveLength(1);
  expect(collector.requests.some(({ body }) => body.includes(secret))).toBe(false);
  expect(collector.spans[0]?.status.message).toBe('denied: [redacted:github-token]');
});

test('a long text is cut, but not through a secret', async () => {
  const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
  deliver().add(span(1, { attributes: { said: `${'x '.repeat(15_990)}${secret}${' y'.repeat(50_000)}` } }));
  await expect.poll(() => collector.spans).toHaveLength(1);
  const said = String(collector.spans[0]?.attributes.said);
  expect(said.length).toBeLessThan(32_100);
  expect(said).not.toContain('ghp_');
  expect(said).toMatch(/… \(about \d+ more characters\)$/);
});

test('spans travel in small batches, in their order', async () => {
  const delivery = deliver({ batchSpans: 3 });
  for (let number = 1; number <= 7; number += 1) delivery.add(span(number));
  await expect.poll(names).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => `span ${number}`));
  expect(collector.requests).toHaveLength(3);
  delivery.add(span(8));
  await expect.poll(names).toContain('span 8');
});

describe('a collector that is not there for a while', () => {
  test.each([429, 502, 503, 504])('(%i) is asked again until it takes them', async (status) => {
    collector.answer = { status };
    const delivery = deliver();
    delivery.add(span(1));
    await expect.poll(() => collector.requests.length).toBeGreaterThan(2);
    collector.answer = { status: 200 };
    await expect.poll(names).toEqual(['span 1']);
    expect(delivery.dropped).toBe(0);
    expect(warnings).toHaveLength(1);
  });

  test('(nobody listens) is asked again until it takes them', async () => {
    const port = Number(new URL(collector.url).port);
    await collector.close();
    deliver().add(span(1));
    await expect.poll(() => warnings).toHaveLength(1);
    collector = await startOtlpReceiver('127.0.0.1', port);
    await expect.poll(names).toEqual(['span 1']);
  });

  test('(no answer) is asked again until it takes them', async () => {
    collector.answer = 'silent';
    deliver({ requestTimeoutMs: 50 }).add(span(1));
    await expect.poll(() => collector.requests.length).toBeGreaterThan(1);
    collector.answer = { status: 200 };
    await expect.poll(names).toEqual(['span 1']);
  });

  test('is given the time that it asks for', async () => {
    collector.answer = { status: 429, headers: { 'retry-after': '1' } };
    deliver({ longestRetryMs: 300 }).add(span(1));
    await expect.poll(() => collector.requests.length).toBe(1);
    const asked = performance.now();
    await expect.poll(() => collector.requests.length).toBe(2);
    expect(performance.now() - asked).toBeGreaterThan(200);
  });
});

test.each([400, 401, 403, 404, 500])(
  'what the collector does not want (%i) is dropped and counted',
  async (status) => {
    collector.answer = { status };
    const delivery = deliver({ batchSpans: 2 });
    for (let number = 1; number <= 3; number += 1) delivery.add(span(number));
    await expect.poll(() => delivery.dropped).toBe(3);
    expect(collector.requests).toHaveLength(2);
    expect(warnings).toEqual([
      `fleetbot: spans do not arrive. The collector answered ${status}. They are dropped.`,
    ]);
  },
);

test('what the collector refuses of a batch that it takes is counted', async () => {
  collector.answer = { status: 200, body: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}' };
  const delivery = deliver();
  for (let number = 1; number <= 3; number += 1) delivery.add(span(number));
  await expect.poll(() => delivery.dropped).toBe(2);
  expect(collector.requests).toHaveLength(1);
});

describe('while nothing arrives', () => {
  test.each([
    ['spans', { queueSpans: 5 }],
    ['characters', { queueCharacters: 5 * span(10).length }],
  ])('only so many %s wait; the oldest go, and are counted', async (_, limits) => {
    collector.answer = { status: 503 };
    const delivery = deliver({ batchSpans: 1, ...limits });
    delivery.add(span(10));
    await expect.poll(() => collector.requests.length).toBeGreaterThan(0);
    for (let number = 11; number <= 20; number += 1) delivery.add(span(number));
    expect(delivery.dropped).toBe(5);
    collector.answer = { status: 200 };
    await expect.poll(names).toEqual([10, 16, 17, 18, 19, 20].map((number) => `span ${number}`));
  });

  test('whoever tells of a span neither waits nor fails', () => {
    collector.answer = 'silent';
    expect(deliver().add(span(1))).toBeUndefined();
  });
});

describe('at the end of the process', () => {
  test('what waits is sent at once', async () => {
    const delivery = deliver({ batchDelayMs: 60_000 });
    delivery.add(span(1));
    await delivery.flush(2_000);
    expect(names()).toEqual(['span 1']);
  });

  test('an attempt that waits for its turn has it now', async () => {
    collector.answer = { status: 503 };
    const delivery = deliver({ firstRetryMs: 60_000, longestRetryMs: 60_000 });
    delivery.add(span(1));
    await expect.poll(() => collector.requests.length).toBe(1);
    collector.answer = { status: 200 };
    await delivery.flush(2_000);
    expect(names()).toEqual(['span 1']);
  });

  test.each(['silent', { status: 503 }] as const)('nobody waits longer than allowed (%o)', async (answer) => {
    collector.answer = answer;
    const delivery = deliver();
    delivery.add(span(1));
    const began = performance.now();
    await delivery.flush(200);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  test('with nothing to send there is nothing to wait for', async () => {
    const began = performance.now();
    await deliver().flush(10_000);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

test('nothing goes to another user who listens in the place of the collector', async () => {
  strangerListens = true;
  deliver().add(span(1));
  await expect.poll(() => warnings).toEqual([expect.stringContaining("Another user's process listens")]);
  expect(collector.requests).toEqual([]);
  strangerListens = false;
  await expect.poll(names).toEqual(['span 1']);
});
