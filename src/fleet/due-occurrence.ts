import { createHash } from 'node:crypto';
import { nextTime, previousTime } from './cron.ts';
import type { Schedule } from './schedule.ts';

/** A record that is further ahead of the clock than this was made while the clock was wrong: it says nothing. */
const clockErrorMs = 24 * 3_600_000;

/**
 * The time of a schedule that is to be handled now, in milliseconds since the epoch; undefined where there is none.
 * Of those that were missed it is the newest: they are caught up once. What was due before the schedule's `since`
 * never is. Where the clock was set back, nothing is due until it has come to where it was.
 *
 * @param handledMs the last one that was handled
 */
export function dueOccurrence(
  schedule: Schedule,
  handledMs: number | undefined,
  nowMs: number,
): number | undefined {
  const { cron, timeZone, since } = schedule;
  const latest = previousTime(cron, timeZone, nowMs);
  if (latest === undefined) return undefined;
  // It waits for its own moment, the one before has come to its: see `beginsAt`.
  const due = beginsAt(schedule, latest) <= nowMs ? latest : previousTime(cron, timeZone, latest - 1);
  const believed = (recordMs: number | undefined): number =>
    recordMs === undefined || recordMs > nowMs + clockErrorMs ? Number.NEGATIVE_INFINITY : recordMs;
  return due !== undefined && due > believed(handledMs) && due >= believed(since) ? due : undefined;
}

/**
 * When a time of a schedule begins: later by a part of `jitterSeconds` that follows from the schedule's name and the
 * time, and before the next one.
 */
export function beginsAt({ name, cron, timeZone, jitterSeconds }: Schedule, occurrenceMs: number): number {
  if (jitterSeconds === 0) return occurrenceMs;
  const next = nextTime(cron, timeZone, occurrenceMs) ?? Number.POSITIVE_INFINITY;
  const mostMs = Math.min(jitterSeconds * 1_000, next - occurrenceMs);
  const hash = createHash('sha256').update(`${name} ${occurrenceMs}`).digest();
  return occurrenceMs + Math.floor((hash.readUInt32BE() / 2 ** 32) * mostMs);
}
