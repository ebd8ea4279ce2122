import { nextTime, previousTime } from './cron.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { parseSelector } from './selector.ts';
import type { Silence } from './silence.ts';
import type { WindowEntry } from './time-rules.ts';

/** The zone of a time of the fleet file that names none. */
export const defaultTimeZone = 'UTC';

export const minuteMs = 60_000;

/**
 * The maintenance windows that are open at this moment, as silences. Of one that begins again before it ends the
 * newest counts, which ends last.
 * @param machine only those that hold for it
 */
export function windowsOpenAt(
  { machines, maintenance }: Pick<Fleet, 'machines' | 'maintenance'>,
  now: number,
  machine?: Machine,
): readonly Silence[] {
  return maintenance.flatMap((window): readonly Silence[] => {
    const matches = parseSelector(window.machines);
    // First, because it costs less than to read the calendar.
    if (machine !== undefined && !matches(machine)) return [];
    const from = previousTime(window.cron, zoneOf(window), now);
    if (from === undefined || from + window.minutes * minuteMs <= now) return [];
    const channel = channelOf(window, machines);
    return [
      {
        id: `w-${window.name}-${from.toString(36)}`,
        machines: window.machines,
        reason: window.reason,
        by: { kind: 'window', window: window.name },
        ...(channel !== undefined && { origin: { channel } }),
        from,
        until: from + window.minutes * minuteMs,
      },
    ];
  });
}

/** Where the window's end is told: in its own channel, or in that of the first of its machines that has one. */
export function channelOf(window: WindowEntry, machines: Fleet['machines']): string | undefined {
  if (window.channel !== undefined) return window.channel;
  const matches = parseSelector(window.machines);
  return [...machines.values()].find((machine) => machine.channel !== undefined && matches(machine))?.channel;
}

/** When the window begins the next time; undefined where it never does. */
export function nextBegin(window: WindowEntry, now: number): number | undefined {
  return nextTime(window.cron, zoneOf(window), now);
}

/** The zone in which the window's times are meant. */
export function zoneOf({ timeZone = defaultTimeZone }: WindowEntry): string {
  return timeZone;
}
