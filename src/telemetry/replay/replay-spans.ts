import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Delivery } from '../spool/export-spans.ts';
import { inHalves } from '../spool/in-halves.ts';
import type { CopiedSpans } from './read-copies.ts';

/** Traces whose spans are remembered; of others MLflow is asked again. */
const rememberedTraces = 1_000;

export interface ReplayOptions {
  readonly copies: AsyncIterable<CopiedSpans>;
  /** Those that ended before are passed over. Milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Nothing is sent. */
  readonly dryRun: boolean;
  /** The ids of the spans of a trace that MLflow has. */
  readonly known: (traceId: string) => Promise<Iterable<string>>;
  readonly deliver: (spans: readonly ReadableSpan[]) => Promise<Delivery>;
  /** Told of each span that MLflow will not take. */
  readonly refused: (span: ReadableSpan, error: Error | undefined) => void;
}

/** What became of the spans in the copies. */
export interface ReplayCounts {
  read: number;
  /** They ended before `since`. */
  older: number;
  /** MLflow had them already. */
  known: number;
  /** MLflow lacked them, and has them now; without `dryRun`. */
  sent: number;
  refused: number;
  /** Lines that are no OTLP/JSON. */
  unreadable: number;
  /** Why MLflow took nothing in the end, so that the rest was not read; undefined where all was. */
  held?: { readonly error: Error | undefined };
}

/**
 * Sends MLflow those spans of copies that it lacks, and no other: done again, it changes nothing.
 * @throws what `known` throws
 */
export async function replaySpans(options: ReplayOptions): Promise<ReplayCounts> {
  const { copies, since = 0, dryRun, deliver } = options;
  const counts: ReplayCounts = { read: 0, older: 0, known: 0, sent: 0, refused: 0, unreadable: 0 };
  const traces = new KnownSpans(options.known);
  const attempt = async (spans: readonly ReadableSpan[]): Promise<Delivery> => {
    const delivery: Delivery = dryRun ? { outcome: 'taken' } : await deliver(spans);
    if (delivery.outcome === 'taken') counts.sent += spans.length;
    if (delivery.outcome === 'held') counts.held = { error: delivery.error };
    return delivery;
  };
  const refuse = async (span: ReadableSpan, error: Error | undefined): Promise<void> => {
    counts.refused += 1;
    options.refused(span, error);
  };
  for await (const { spans, unreadable } of copies) {
    counts.read += spans.length;
    counts.unreadable += unreadable;
    const recent = spans.filter((span) => endedAt(span) >= since);
    counts.older += spans.length - recent.length;
    const lacking: ReadableSpan[] = [];
    for (const span of recent) if (await traces.add(span)) lacking.push(span);
    counts.known += recent.length - lacking.length;
    if (!(await inHalves(lacking, attempt, refuse))) break;
  }
  return counts;
}

/** Which spans MLflow has, or will have once what was found lacking is sent. */
class KnownSpans {
  readonly #ask: ReplayOptions['known'];
  readonly #traces = new Map<string, Set<string>>();

  constructor(ask: ReplayOptions['known']) {
    this.#ask = ask;
  }

  /** Returns whether it is lacking, the first time that it is asked for. */
  async add(span: ReadableSpan): Promise<boolean> {
    const { traceId, spanId } = span.spanContext();
    const spans = this.#traces.get(traceId) ?? new Set(await this.#ask(traceId));
    // What was asked for last is forgotten last.
    this.#traces.delete(traceId);
    this.#traces.set(traceId, spans);
    const [oldest] = this.#traces.keys();
    if (oldest !== undefined && this.#traces.size > rememberedTraces) this.#traces.delete(oldest);
    const isLacking = !spans.has(spanId);
    spans.add(spanId);
    return isLacking;
  }
}

const [msPerSecond, nanosecondsPerMs] = [1_000, 1_000_000];

function endedAt({ endTime: [seconds, rest] }: ReadableSpan): number {
  return seconds * msPerSecond + rest / nanosecondsPerMs;
}
