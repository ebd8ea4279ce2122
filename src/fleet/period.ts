import { readDuration } from './duration.ts';
import { InputError } from './errors.ts';

/** A stretch of time. Milliseconds since the epoch; days and months are UTC's. */
export interface Period {
  /** The first moment of it. */
  readonly from: number;
  /** The first moment after it. */
  readonly to: number;
  /** As a sentence names it: `the last 24h`, `today`, `2026-11`, `2026-11-01 to 2026-11-20`. */
  readonly words: string;
}

/** What people are told that a period may be. */
export const periodExamples = '24h, 7d, today, yesterday, 2026-11-01, 2026-11 or 2026-11-01..2026-11-20';

/** The periods that are words. */
export const periodWords = ['today', 'yesterday'] as const;

const dayMs = 24 * 3_600_000;
const minuteMs = 60_000;

/** The last days up to now, for whoever names no period. */
export function lastDays(count: number, now: number): Period {
  const words = count === 1 ? '24h' : `${count}d`;
  return { from: now - count * dayMs, to: now + 1, words: `the last ${words}` };
}

/** A month, a day, or a minute of it: `2026-11`, `2026-11-01`, `2026-11-01T10:30`. */
const datePattern = /^(\d{4})-(\d{2})(?:-(\d{2})(?:t(\d{2}):(\d{2})z?)?)?$/;

/**
 * Reads one word as a period: a span of time up to now (`24h`, `1d12h`), `today`, `yesterday`, a month, a day or a
 * minute (`2026-11`, `2026-11-01`, `2026-11-01T10:30`), or two of them with all between (`2026-11-01..2026-11-20`;
 * `2026-11-01..` ends now). Undefined for a word that is nothing like a period.
 * @throws InputError for one that is meant as a period and is none
 */
export function readPeriod(word: string, now: number): Period | undefined {
  const text = word.toLowerCase();
  const spanMs = readDuration(text);
  if (spanMs !== undefined) {
    if (spanMs === 0) throw noPeriod(word);
    // Whatever happened up to the very moment of asking belongs to it.
    return { from: Math.max(0, now - spanMs), to: now + 1, words: `the last ${text}` };
  }
  const [first = '', last, ...more] = word.split('..');
  const begin = readDate(first, now);
  if (begin === undefined) {
    if (datePattern.test(first)) throw noPeriod(word);
    return undefined;
  }
  const end = last === undefined ? begin : last === '' ? undefined : readDate(last, now);
  if (more.length > 0 || (end === undefined && last !== '')) throw noPeriod(word);
  const period = { from: begin.from, to: end?.to ?? now + 1 };
  if (period.from > now) throw new InputError(`\`${word}\` has not begun yet; it is ${utcMinute(now)} UTC.`);
  if (period.to <= period.from) throw new InputError(`\`${word}\` ends before it begins.`);
  if (last === undefined) return { ...period, words: first };
  return { ...period, words: `${first} to ${last === '' ? 'now' : last}` };
}

function readDate(text: string, now: number): { readonly from: number; readonly to: number } | undefined {
  const today = Math.floor(now / dayMs) * dayMs;
  const word = text.toLowerCase();
  if (word === 'today') return { from: today, to: today + dayMs };
  if (word === 'yesterday') return { from: today - dayMs, to: today };
  const [found, year, month, day, hour, minute] = datePattern.exec(word) ?? [];
  if (found === undefined) return undefined;
  const from = Date.UTC(
    ...([Number(year), Number(month) - 1, Number(day ?? 1), Number(hour ?? 0), Number(minute ?? 0)] as const),
  );
  // The 31st of February would be a day in March.
  if (!new Date(from).toISOString().startsWith(found.replace('z', '').toUpperCase())) return undefined;
  if (day === undefined) return { from, to: Date.UTC(Number(year), Number(month)) };
  return { from, to: from + (hour === undefined ? dayMs : minuteMs) };
}

function utcMinute(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
}

function noPeriod(word: string): InputError {
  return new InputError(`\`${word}\` is no period: ${periodExamples} are.`);
}
