import type { Schedule } from './schedule.ts';
import type { ScheduleEntry } from './time-rules.ts';

/** Where nothing else is said, times are meant in this zone. */
export const defaultTimeZone = 'UTC';

/**
 * The schedules of the fleet file and those that people set up, in this order. A name of the file is the file's: one
 * that was set up before the file had it no longer counts.
 */
export function allSchedules(
  entries: readonly ScheduleEntry[],
  setUp: readonly Schedule[],
): readonly Schedule[] {
  const names = new Set(entries.map(({ name }) => name));
  return [...entries.map(toSchedule), ...setUp.filter(({ name }) => !names.has(name))];
}

function toSchedule({
  name,
  machines,
  check,
  ask,
  cron,
  timeZone,
  jitterSeconds,
  channel,
}: ScheduleEntry): Schedule {
  return {
    ...{ name, machines, cron, channel, jitterSeconds: jitterSeconds ?? 0 },
    task: check === undefined ? { kind: 'ask', question: ask ?? '' } : { kind: 'check', check },
    timeZone: timeZone ?? defaultTimeZone,
  };
}
