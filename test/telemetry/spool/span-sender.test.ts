import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Delivery } from '../../../src/telemetry/spool/export-spans.ts';
import { SpanSender } from '../../../src/telemetry/spool/span-sender.ts';
import { anySpan } from './any-span.ts';

const timings = { batchDelayMs: 1, retryMinMs: 1, retryMaxMs: 2 };
const patience = { timeout: 10_000 };
const error = new Error('Failed to log OpenTelemetry spans');
const taken: Delivery = { outcome: 'taken' };
const doubtful: Delivery = { outcome: 'doubtful', error };

/** A sender of these batches to something that answers so; each span once named is counted. */
function startSender(
  batches: readonly (readonly string[])[],
  answerTo: (names: readonly string[]) => Delivery,
  log = pino({ level: 'silent' }),
) {
  const [sample] = fc.sample(anySpan, 1);
  if (!sample) throw new Error('no span');
  const spansOf = (names: readonly string[]): ReadableSpan[] => names.map((name) => ({ ...sample, name }));
  const left = [...batches];
  const done: string[] = [];
  const refused: string[] = [];
  const attempts: string[] = [];
  const sender = new SpanSender({
    next: async () => {
      const names = left.shift();
      return names && { spans: spansOf(names), done: async () => void done.push(...names) };
    },
    deliver: async (spans) => {
      const names = spans.map(({ name }) => name);
      attempts.push(names.join());
      return answerTo(names);
    },
    refuse: async ({ name }) => void refused.push(name),
    explain: () => 'MLflow takes nothing',
    ...{ timings, log },
  });
  sender.start();
  onTestFinished(() => sender.stop());
  return { sender, done, refused, attempts };
}

it('a span that MLflow may be wrong about is refused once MLflow takes again what it took before', async () => {
  const { sender, done, refused, attempts } = startSender([['good'], ['wrong'], ['later']], (names) =>
    names.includes('wrong') ? doubtful : taken,
  );
  await vi.waitFor(() => expect(done).toEqual(['good', 'wrong', 'later']), patience);
  expect(refused).toEqual(['wrong']);
  expect(attempts).toEqual(['good', 'wrong', 'good', 'later']);
  expect(sender.exported).toBe(2);
});

it('says that what MLflow does not take waits, and is not lost', async () => {
  const logged: string[] = [];
  const log = pino({}, { write: (line) => void logged.push(line) });
  startSender([['one']], () => ({ outcome: 'held', error }), log);
  await vi.waitFor(() => expect(logged).toHaveLength(1), patience);
  expect(logged[0]).toMatch(/"heldSpans":1,.*MLflow takes nothing These spans wait, .* none of them is lost/);
});

it('no span is refused while MLflow does not take either what it took before', async () => {
  let isWell = true;
  const { done, refused, attempts } = startSender([['one'], ['two', 'three']], (names) => {
    if (names.includes('two')) isWell = attempts.length > 60;
    return isWell ? taken : doubtful;
  });
  await vi.waitFor(() => expect(done).toEqual(['one', 'two', 'three']), patience);
  expect(attempts.length).toBeGreaterThan(60);
  expect(refused).toEqual([]);
});

it('where MLflow has taken nothing yet, a span holds the others up for a while only', async () => {
  const { done, refused, attempts } = startSender([['wrong'], ['good']], (names) =>
    names.includes('wrong') ? doubtful : taken,
  );
  await vi.waitFor(() => expect(done).toEqual(['wrong', 'good']), patience);
  expect(refused).toEqual(['wrong']);
  expect(attempts.filter((names) => names === 'wrong')).toHaveLength(20);
});
