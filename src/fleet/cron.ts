import { Cron } from 'croner';

/** A field of crontab(5): what people call it, what stands in it, and the names that stand for its numbers. */
interface Field {
  readonly called: string;
  readonly from: number;
  readonly to: number;
  readonly names: readonly string[];
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const fields: readonly Field[] = [
  { called: 'minute', from: 0, to: 59, names: [] },
  { called: 'hour', from: 0, to: 23, names: [] },
  { called: 'day of the month', from: 1, to: 31, names: [] },
  { called: 'month', from: 1, to: 12, names: months },
  // 7 is Sunday too, so that FRI-SUN can be written.
  { called: 'day of the week', from: 0, to: 7, names: weekdays },
];

/**
 * What is wrong with a time as crontab(5) writes it, as words that follow a name; undefined where nothing is.
 * Five fields of lists of numbers, ranges, steps and names (MON, JAN). What is an addition of one cron or another
 * (seconds, `@daily`, `?`, `L`, `W`, `#`) is refused, and so is a time that never comes.
 */
export function validateCron(text: string): string | undefined {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    return `has ${parts.length} of the five fields minute, hour, day of the month, month, day of the week`;
  }
  for (const [index, field] of fields.entries()) {
    for (const item of (parts[index] ?? '').split(',')) {
      const problem = itemProblem(item, field);
      if (problem !== undefined) return problem;
    }
  }
  const [, , day = '', , weekday = ''] = parts;
  // Vixie's cron wants both days then, others one of them.
  if (day !== '*' && weekday !== '*' && (day.startsWith('*') || weekday.startsWith('*'))) {
    return `steps through the days with "*" and has a day of the week too, which crons read in different ways: write the range out, 1-31/2`;
  }
  return nextTime(text, 'UTC', Date.UTC(2000, 0)) === undefined ? 'never comes' : undefined;
}

function itemProblem(item: string, field: Field): string | undefined {
  const [, range = '', step] = /^([^/]*)(?:\/(.*))?$/.exec(item) ?? [];
  const [first = '', last, ...more] = range.split('-');
  const from = numberOf(first, field, 'first');
  const to = last === undefined ? from : numberOf(last, field, 'last');
  if (range !== '*' && (from === undefined || to === undefined || more.length > 0)) {
    return `has "${item}" as its ${field.called}, which is ${allowed(field)}`;
  }
  if (from !== undefined && to !== undefined && from > to) {
    return `has "${item}" as its ${field.called}: a range begins with the lower end`;
  }
  if (step === undefined) return undefined;
  if (range !== '*' && last === undefined) {
    return `has "${item}" as its ${field.called}: a step goes through a range or "*"`;
  }
  const isStep = /^\d{1,2}$/.test(step) && Number(step) >= 1 && Number(step) <= field.to;
  return isStep
    ? undefined
    : `has "${item}" as its ${field.called}: a step is a number from 1 to ${field.to}`;
}

function numberOf(word: string, { from, to, names }: Field, end: 'first' | 'last'): number | undefined {
  if (/^\d{1,2}$/.test(word)) {
    const value = Number(word);
    return value >= from && value <= to ? value : undefined;
  }
  const index = names.indexOf(word.toUpperCase());
  if (index === -1) return undefined;
  return end === 'last' && names === weekdays && index === 0 ? 7 : from + index;
}

function allowed({ from, to, names }: Field): string {
  const named = names.length === 0 ? '' : ` or ${names[0]} to ${names.at(-1)}`;
  return `"*" or ${from} to ${to}${named}, a list (1,2) or a range (1-5)`;
}

/** Whether this is the name of a time zone that this computer knows: `Europe/Berlin`, `UTC`. No offset (`+01:00`). */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * The first time after a moment, in milliseconds since the epoch; undefined where none comes.
 *
 * When the clocks change it keeps to cron(8): with fixed minutes and hours (`30 2 * * *`), a time that is skipped
 * comes once, right after the gap, and a time that there is twice comes once, the first time. With `*` or a step in
 * one of them (`0 * * * *`) it goes on at its pace: nothing for the gap, and in both of the repeated hours.
 * @param cron passed `validateCron`
 * @param timeZone passed `isTimeZone`
 */
export function nextTime(cron: string, timeZone: string, afterMs: number): number | undefined {
  return parse(cron, timeZone).nextRun(new Date(afterMs))?.getTime();
}

/** The last time at or before a moment, as {@link nextTime} counts them; undefined where there was none. */
export function previousTime(cron: string, timeZone: string, atOrBeforeMs: number): number | undefined {
  const [time] = parse(cron, timeZone).previousRuns(1, new Date(atOrBeforeMs + 1));
  return time?.getTime();
}

function parse(cron: string, timezone: string): Cron {
  return new Cron(cron, { timezone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });
}
