import type { LocatedProblem } from './describe-issue.ts';
import type { Fleet } from './fleet.ts';
import { channelOf, minuteMs, nextBegin } from './maintenance.ts';
import type { WindowEntry } from './time-rules.ts';

/** How many begins of a window are looked at. */
const beginsLookedAt = 10;
/** From when on: the same at any time, so that a file has the same warnings. */
const lookedAtFromMs = Date.UTC(2026, 0);

/** Maintenance windows that may hold for ever, or whose end nobody would hear of. */
export function doubtfulWindows({ machines, maintenance }: Fleet): LocatedProblem[] {
  return maintenance.flatMap((window, index) => {
    const path = ['maintenance', index];
    const intervalMs = shortestIntervalMs(window);
    return [
      ...(intervalMs !== undefined && intervalMs <= window.minutes * minuteMs
        ? [
            {
              path: [...path, 'minutes'],
              problem: `it begins again after ${intervalMs / minuteMs} minutes, before it is over`,
              cure: 'Make it shorter, or let it begin more seldom',
            },
          ]
        : []),
      ...(channelOf(window, machines) === undefined
        ? [
            {
              path,
              problem: 'what it held back is told nowhere: neither it nor its machines have a channel',
              cure: 'Add "channel" with the id of a Slack channel',
            },
          ]
        : []),
    ];
  });
}

function shortestIntervalMs(window: WindowEntry): number | undefined {
  const begins: number[] = [];
  for (let at = lookedAtFromMs; begins.length < beginsLookedAt; ) {
    const next = nextBegin(window, at);
    if (next === undefined) break;
    begins.push(next);
    at = next;
  }
  const intervals = begins.slice(1).map((begin, index) => begin - (begins[index] ?? begin));
  return intervals.length === 0 ? undefined : Math.min(...intervals);
}
