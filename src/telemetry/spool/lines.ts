import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import type { SpanDecoder } from './decode-spans.ts';
import { encodeSpans } from './encode-spans.ts';

/** A line is read and sent as a whole. */
const spansPerLine = 16;

/** Spans as text, with the end of the line. */
export interface SpoolLine {
  readonly text: string;
  /** Those in it that have ended. */
  readonly spans: number;
}

/** What stands in a line. */
export type LineContent =
  | { readonly kind: 'ended'; readonly spans: readonly ReadableSpan[] }
  /** These have begun; where no later line tells their end, a kill cut them off. */
  | { readonly kind: 'opened'; readonly spans: readonly ReadableSpan[] };

const openedSchema = z.object({ opened: z.unknown() });
const openedStart = '{"opened":';
const oncePerSpan = '"startTimeUnixNano":';

/** Lines of OTLP/JSON, as the collectors' file exporter writes them. */
export function endedLines(spans: readonly ReadableSpan[]): SpoolLine[] {
  const lines: SpoolLine[] = [];
  for (let at = 0; at < spans.length; at += spansPerLine) {
    const some = spans.slice(at, at + spansPerLine);
    lines.push({ text: `${JSON.stringify(encodeSpans(some))}\n`, spans: some.length });
  }
  return lines;
}

/** A line that is no OTLP/JSON: who reads a spool as such passes over spans that have not ended. */
export function openedLine(spans: readonly ReadableSpan[]): SpoolLine {
  return { text: `${openedStart}${JSON.stringify(encodeSpans(spans))}}\n`, spans: 0 };
}

/** undefined where it is no line of a spool: a kill or a full disk tore it. */
export function readLine(text: string, decoder: SpanDecoder): LineContent | undefined {
  const json = parseJson(text);
  const marks = openedSchema.safeParse(json).data;
  const spans = decoder.decode(marks ? marks.opened : json);
  return spans && { kind: marks ? 'opened' : 'ended', spans };
}

/** How many spans that ended stand in a line, without reading it as JSON, in which quotes in text are escaped. */
export function countSpans(text: string): number {
  return text.startsWith(openedStart) ? 0 : text.split(oncePerSpan).length - 1;
}
