import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { InputError } from '../../src/fleet/errors.ts';
import { copiesIn, readCopies } from '../../src/telemetry/replay/read-copies.ts';
import { type ReplayOptions, replaySpans } from '../../src/telemetry/replay/replay-spans.ts';
import { replayToMlflow } from '../../src/telemetry/replay/replay-to-mlflow.ts';
import type { Delivery } from '../../src/telemetry/spool/export-spans.ts';
import { endedLines, openedLine } from '../../src/telemetry/spool/lines.ts';
import { anySpan } from './spool/any-span.ts';

const nothing = { read: 0, older: 0, known: 0, sent: 0, refused: 0, unreadable: 0 };
const idOf = (span: ReadableSpan) => span.spanContext().spanId;

/** Spans with ids of their own, of which the nth ends n seconds after the epoch. */
function samples(count: number): ReadableSpan[] {
  const various = fc.sample(anySpan, { numRuns: 10, seed: 11 });
  return Array.from({ length: count }, (_, index) => {
    const first = various[index % various.length];
    if (!first) throw new Error('no span');
    const context = { ...first.spanContext(), spanId: String(index).padStart(16, '0') };
    return { ...first, spanContext: () => context, startTime: [index, 0], endTime: [index, 0] };
  });
}

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-replay-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function write(file: string, spans: readonly ReadableSpan[]): string {
  writeFileSync(
    file,
    endedLines(spans)
      .map(({ text }) => text)
      .join(''),
  );
  return file;
}

/** MLflow as far as a replay sees it: what it takes it has. */
class MlflowOfSpans {
  readonly spans = new Map<string, ReadableSpan>();
  readonly asked: string[] = [];
  readonly refused: string[] = [];
  isAway = false;
  refuses = (_span: ReadableSpan): boolean => false;

  async replay(paths: readonly string[], changes: Partial<ReplayOptions> = {}) {
    return replaySpans({
      copies: readCopies(await copiesIn(paths)),
      dryRun: false,
      known: async (traceId) => {
        this.asked.push(traceId);
        return [...this.spans.values()].filter((span) => span.spanContext().traceId === traceId).map(idOf);
      },
      deliver: async (spans): Promise<Delivery> => {
        const error = new Error('no answer');
        if (this.isAway) return { outcome: 'held', error };
        if (spans.some(this.refuses)) return { outcome: 'doubtful', error };
        for (const span of spans) this.spans.set(idOf(span), span);
        return { outcome: 'taken' };
      },
      refused: (span) => this.refused.push(span.name),
      ...changes,
    });
  }
}

it('sends what MLflow lacks, and the second time nothing', async () => {
  const [folder, mlflow, spans] = [folderOf(), new MlflowOfSpans(), samples(700)];
  const file = write(join(folder, 'copy.jsonl'), spans);
  for (const span of spans.slice(0, 300)) mlflow.spans.set(idOf(span), span);
  expect(await mlflow.replay([file])).toEqual({ ...nothing, read: 700, known: 300, sent: 400 });
  expect([...mlflow.spans.keys()].toSorted()).toEqual(spans.map(idOf).toSorted());
  expect(await mlflow.replay([file])).toEqual({ ...nothing, read: 700, known: 700 });
});

it('sends a span once that stands in several copies', async () => {
  const [folder, mlflow, spans] = [folderOf(), new MlflowOfSpans(), samples(5)];
  mkdirSync(join(folder, 'deeper'));
  write(join(folder, 'one.jsonl'), spans);
  write(join(folder, 'deeper/two.jsonl'), [...spans, ...spans]);
  writeFileSync(join(folder, 'cursor'), '{"segment":1,"offset":0}');
  expect(await mlflow.replay([folder])).toEqual({ ...nothing, read: 15, known: 10, sent: 5 });
});

it('passes over what only began, what is torn, and what is no OTLP/JSON', async () => {
  const [folder, mlflow, spans] = [folderOf(), new MlflowOfSpans(), samples(2)];
  const file = write(join(folder, 'segment.jsonl'), spans);
  appendFileSync(file, openedLine(samples(1)).text);
  appendFileSync(file, '{"anything":"else"}\n\n{"resourceSpans":[');
  expect(await mlflow.replay([file])).toEqual({ ...nothing, read: 2, sent: 2, unreadable: 2 });
});

it('tells what MLflow refuses, and sends the others', async () => {
  const [folder, mlflow, spans] = [folderOf(), new MlflowOfSpans(), samples(20)];
  const wrong = new Set(spans.filter((_span, index) => index % 7 === 3).map(idOf));
  mlflow.refuses = (span) => wrong.has(idOf(span));
  const file = write(join(folder, 'copy.jsonl'), spans);
  expect(await mlflow.replay([file])).toEqual({ ...nothing, read: 20, sent: 17, refused: 3 });
  expect(mlflow.refused).toHaveLength(3);
});

it('stops where MLflow takes nothing, and says why', async () => {
  const [folder, mlflow] = [folderOf(), new MlflowOfSpans()];
  mlflow.isAway = true;
  const file = write(join(folder, 'copy.jsonl'), samples(2_000));
  expect(await mlflow.replay([file])).toMatchObject({ sent: 0, held: { error: { message: 'no answer' } } });
});

it('sends nothing in a dry run, which counts what would be sent', async () => {
  const [folder, mlflow, spans] = [folderOf(), new MlflowOfSpans(), samples(5)];
  const file = write(join(folder, 'copy.jsonl'), [...spans, ...spans]);
  const counts = await mlflow.replay([file], { dryRun: true });
  expect(counts).toEqual({ ...nothing, read: 10, known: 5, sent: 5 });
  expect(mlflow.spans.size).toBe(0);
});

it('passes over what ended before a time, and asks once for each trace', async () => {
  const [folder, mlflow, spans] = [folderOf(), new MlflowOfSpans(), samples(50)];
  const counts = await mlflow.replay([write(join(folder, 'copy.jsonl'), spans)], { since: 26_000 });
  expect(counts).toEqual({ ...nothing, read: 50, older: 26, sent: 24 });
  expect(mlflow.asked.length).toBeGreaterThan(0);
  expect(mlflow.asked.length).toBeLessThanOrEqual(10);
});

it('leaves out what the central collector did not let through', async () => {
  const [folder, mlflow] = [folderOf(), new MlflowOfSpans()];
  for (const name of ['copy', 'forged']) mkdirSync(join(folder, name));
  const [genuine, forged] = [samples(2).slice(0, 1), samples(2).slice(1)];
  write(join(folder, 'copy/spans.jsonl'), genuine);
  write(join(folder, 'forged/spans.jsonl'), forged);
  expect(await mlflow.replay([folder])).toEqual({ ...nothing, read: 1, sent: 1 });
  expect([...mlflow.spans.keys()]).toEqual(genuine.map(idOf));
});

it('names a path that cannot be read', async () => {
  await expect(copiesIn([join(folderOf(), 'missing')])).rejects.toThrow(InputError);
});

it('says where there are no spans, and which file is none of them', async () => {
  const [folder, told] = [folderOf(), [] as string[]];
  const target = { trackingUri: 'http://127.0.0.1:9', publicUrl: 'http://127.0.0.1:9', experimentId: '7' };
  const replay = (path: string) =>
    replayToMlflow(target, { paths: [path], dryRun: true, tell: (line) => told.push(line) });
  expect(await replay(folder)).toBe(true);
  expect(told.splice(0).at(-1)).toBe(`No spans found in ${folder}.`);

  const notes = join(folder, 'notes.json');
  writeFileSync(notes, '{\n  "no": "span"\n}\n');
  expect(await replay(notes)).toBe(false);
  expect(told).toContain(`${notes} is no copy of spans: none of its lines is OTLP/JSON.`);

  told.length = 0;
  appendFileSync(notes, openedLine(samples(1)).text);
  expect(await replay(notes)).toBe(true);
  expect(told).not.toContain(expect.stringContaining('no copy'));
});
