import { nextTime } from '../../fleet/cron.ts';
import { formatMomentIn } from '../../fleet/format.ts';
import { describeTask } from '../../fleet/request.ts';
import type { Schedule } from '../../fleet/schedule.ts';
import { noticeView } from './notice.ts';
import { channelLink, codeSpan, mention } from './safe-text.ts';
import { compose, context, doubtLine, header, type View } from './view.ts';
import { taskWords } from './words.ts';

const nextShown = 3;
const nameChars = 64;
const selectorChars = 200;
const taskChars = 300;

/** The next times of a schedule, in its own time zone. */
function nextTimes(schedule: Schedule, afterMs: number, count: number): readonly string[] {
  const { cron, timeZone } = schedule;
  const next = count === 0 ? undefined : nextTime(cron, timeZone, afterMs);
  if (next === undefined) return [];
  return [formatMomentIn(next, timeZone), ...nextTimes(schedule, next, count - 1)];
}

/** What a person who set up a schedule reads: when it comes, what of it they will see, and how to end it. */
export function scheduleAddedView(schedule: Schedule, machines: number, now: number): View {
  const { name, task, machines: selector } = schedule;
  const times = nextTimes(schedule, now, nextShown);
  const words = describeTask(task);
  const text = [
    `The schedule \`${name}\` is set up: \`${words.slice(0, taskChars)}\` on \`${selector}\`, which is ${machines === 1 ? '1 machine' : `${machines} machines`} now.`,
    `Next: ${times.join(', ')}.`,
    'Each time one digest appears in this channel: what changed, and problems in full. It runs on your rights, as they are then.',
    `\`/fleet schedule remove ${name}\` ends it.`,
  ];
  return noticeView({ text: text.join('\n'), kind: 'info' });
}

function scheduleLine(schedule: Schedule, now: number): string {
  const { name, task, machines, cron, timeZone, channel, by } = schedule;
  const [next] = nextTimes(schedule, now, 1);
  return [
    codeSpan(name, nameChars),
    `${taskWords(task)} on ${codeSpan(machines, selectorChars)}`,
    codeSpan(`${cron} ${timeZone}`, nameChars * 3),
    next === undefined ? 'never again' : `next ${next}`,
    channelLink(channel),
    by === undefined ? 'of the fleet file' : `set up by ${mention(by.userId)}`,
  ].join(' · ');
}

/** Schedules that the asker may see, and how many there are beside them. */
export function scheduleListView(
  schedules: readonly Schedule[],
  hidden: number,
  now: number,
  doubt: string | undefined,
): View {
  const title = schedules.length === 1 ? '1 schedule' : `${schedules.length} schedules`;
  const others = hidden === 0 ? [] : [`${hidden} more for machines that you may not view`];
  return compose({
    text: title,
    head: [header(title)],
    body: schedules.map((schedule) => scheduleLine(schedule, now)),
    tail: [context([...others, '`/fleet schedule add` sets one up.']), ...doubtLine(doubt)],
    more: (count) => `and ${count} more`,
  }).view;
}
