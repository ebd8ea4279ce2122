import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { bodyOf, statusOf } from '../explain-export-failure.ts';

/** ExportResultCode.SUCCESS of @opentelemetry/core. */
const success = 0;

/**
 * What MLflow answers where a span of the batch itself is wrong: it takes none of the batch, ever. But it answers 422
 * also when its database fails, 400 also for a wrong setting, and something before it may answer so to everything:
 * only these words are sure.
 */
const refusals: readonly (number | undefined)[] = [400, 413, 422];
const sureWords = 'Cannot convert';

/** What became of a batch: MLflow has it, will never take it, perhaps so, or may take it another time. */
export type Delivery =
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'refused' | 'doubtful' | 'held'; readonly error: Error | undefined };

/** Sends spans at once. Never rejects. */
export function exportSpans(exporter: SpanExporter, spans: readonly ReadableSpan[]): Promise<Delivery> {
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  try {
    exporter.export([...spans], ({ code, error }) => {
      resolve(code === success ? { outcome: 'taken' } : { outcome: outcomeOf(error), error });
    });
  } catch (cause) {
    // One of them cannot be written as protobuf: no other attempt changes that.
    const error = new Error('The span cannot be written as OTLP/protobuf.', { cause });
    resolve({ outcome: 'refused', error });
  }
  return promise;
}

function outcomeOf(error: Error | undefined): 'refused' | 'doubtful' | 'held' {
  if (!refusals.includes(statusOf(error))) return 'held';
  return bodyOf(error).includes(sureWords) ? 'refused' : 'doubtful';
}
