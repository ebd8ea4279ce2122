import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { bodyOf, explainExportFailure } from '../explain-export-failure.ts';
import { createMlflowClient } from '../mlflow/client.ts';
import type { MlflowTarget } from '../mlflow-target.ts';
import { exportSpans } from '../spool/export-spans.ts';
import { createMlflowExporter } from '../spool/mlflow-exporter.ts';
import { copiesIn, readCopies } from './read-copies.ts';
import { type ReplayCounts, replaySpans } from './replay-spans.ts';

const exportTimeoutMs = 30_000;

export interface ReplayWish {
  /** Files of OTLP/JSON lines, and folders of them. */
  readonly paths: readonly string[];
  /** Milliseconds since the epoch. */
  readonly since?: number | undefined;
  readonly dryRun: boolean;
  /** Prints a line. */
  readonly tell: (line: string) => void;
}

/**
 * Sends MLflow the spans in copies that it lacks, and tells what became of them. Resolves to whether it has all of
 * them now, or would have, and every file was one of spans.
 * @throws InputError for a path that cannot be read
 * @throws MlflowError where MLflow does not say what it has
 */
export async function replayToMlflow(mlflow: MlflowTarget, wish: ReplayWish): Promise<boolean> {
  const { paths, since, dryRun, tell } = wish;
  const files = await copiesIn(paths);
  const noCopies: string[] = [];
  const client = createMlflowClient(mlflow);
  const exporter = createMlflowExporter(mlflow, exportTimeoutMs);
  const counts = await replaySpans({
    ...{ copies: readCopies(files, (file) => noCopies.push(file)), since, dryRun },
    known: async (traceId) => ((await client.trace(traceId))?.spans ?? []).map(({ spanId }) => spanId),
    deliver: (spans) => exportSpans(exporter, spans),
    refused: (span, error) => tell(describeRefusal(span, error)),
  });
  for (const line of describeCounts(counts, files.length, dryRun)) tell(line);
  for (const file of noCopies) tell(`${file} is no copy of spans: none of its lines is OTLP/JSON.`);
  if (counts.read === 0) tell(`No spans found in ${paths.join(', ')}.`);
  if (counts.held) {
    tell(
      `${explainExportFailure(counts.held.error, mlflow)} Then do it again: what is there is not sent twice.`,
    );
  }
  return counts.refused === 0 && counts.held === undefined && noCopies.length === 0;
}

function describeRefusal(span: ReadableSpan, error: Error | undefined): string {
  const { traceId, spanId } = span.spanContext();
  return `refused: ${span.name} (span ${spanId} of tr-${traceId}): ${bodyOf(error) || error?.message || 'no reason given'}`;
}

function describeCounts(counts: ReplayCounts, files: number, dryRun: boolean): string[] {
  const { read, older, known, sent, refused, unreadable } = counts;
  return [
    `files           ${files}`,
    `spans read      ${read}`,
    ...(older > 0 ? [`too old         ${older}`] : []),
    `there already   ${known}`,
    `${dryRun ? 'to be sent      ' : 'sent            '}${sent}`,
    `refused         ${refused}`,
    ...(unreadable > 0 ? [`lines that are no OTLP/JSON, or torn: ${unreadable}`] : []),
  ];
}
