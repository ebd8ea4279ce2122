import { formatCount, formatMoment } from '../../fleet/format.ts';
import type { HeldBack, HeldBackKind, Silence } from '../../fleet/silence.ts';
import { heldBackKinds } from '../../fleet/silence.ts';
import { codeSpan, mention, prose } from './safe-text.ts';

/** Longest reason in a message. */
export const reasonChars = 250;
const whatChars = 64;
/** How many machines a line names before it counts the rest. */
const namedAtMost = 10;

/** Until when, by whom and why, in safe words. */
export function silenceWords({ id, by, until, reason }: Silence): string {
  const whose = by.kind === 'person' ? `by ${mention(by.userId)}` : `for ${windowWords(by.window)}`;
  return `until ${formatMoment(until)} ${whose}: ${prose(reason, reasonChars)} (${codeSpan(id, 100)})`;
}

export function windowWords(name: string): string {
  return `the maintenance window ${codeSpan(name, whatChars)}`;
}

const kindWords: Readonly<Record<HeldBackKind, readonly [one: string, many: string]>> = {
  alert: ['run for an alert', 'runs for alerts'],
  schedule: ['run of a schedule', 'runs of schedules'],
  peer: ['run that another supervisor wanted', 'runs that other supervisors wanted'],
  escalation: ['question to people', 'questions to people'],
  action: ['approved action', 'approved actions'],
};

/** What was held back, a line for each kind: `12 runs for alerts: disk on rhel-01 ×9, …`. Most often first. */
export function heldBackLines(heldBack: readonly HeldBack[]): readonly string[] {
  return heldBackKinds.flatMap((kind) => {
    const those = heldBack.filter((each) => each.kind === kind).toSorted((a, b) => b.times - a.times);
    if (those.length === 0) return [];
    const total = those.reduce((sum, { times }) => sum + times, 0);
    const [one, many] = kindWords[kind];
    const named = those.slice(0, namedAtMost).map(({ machine, what, times }) => {
      const often = times === 1 ? '' : ` ×${formatCount(times)}`;
      return `${codeSpan(what, whatChars)} on ${prose(machine, whatChars)}${often}`;
    });
    const rest = those.length - named.length;
    const more = rest > 0 ? ` and ${formatCount(rest)} more` : '';
    return [`• *${formatCount(total)} ${total === 1 ? one : many}*: ${named.join(', ')}${more}`];
  });
}
