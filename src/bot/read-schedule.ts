import { defaultTimeZone } from '../fleet/all-schedules.ts';
import { isTimeZone, validateCron } from '../fleet/cron.ts';
import { InputError } from '../fleet/errors.ts';
import { nameSchema } from '../fleet/machine.ts';
import { questionMaxCharacters, type Task } from '../fleet/request.ts';
import { cronCure, timeZoneCure } from '../fleet/time-cures.ts';
import { selectorAndWords, usageError } from './commands/command.ts';

/** A schedule as a person typed it. */
export interface ScheduleWords {
  readonly name: string;
  readonly selector: string;
  readonly task: Task;
  readonly cron: string;
  readonly timeZone: string;
}

const fieldsOfCron = 5;

/** What stands in quotes in a file is code in a message, so that its asterisks stay and it can be copied. */
const asCode = (text: string): string => text.replaceAll('"', '`');

/**
 * Reads what follows `/fleet schedule add`: a name, a selector, a check or `ask "a question"`, when, and a time zone.
 * The quotes around the time may be left out, as it always has five fields.
 * @throws InputError that says what to write instead
 */
export function readSchedule(args: string, usage: string): ScheduleWords {
  const [, name = '', rest = ''] = /^(\S+) ?(.*)$/.exec(args) ?? [];
  const [selector, ...words] = selectorAndWords(rest, usage);
  if (selector === undefined) throw usageError('What is it called, and for which machines is it?', usage);
  const { success, error } = nameSchema.safeParse(name.toLowerCase());
  if (!success)
    throw new InputError(`\`${name}\` is no name for a schedule: it ${error.issues[0]?.message}.`);
  const { task, when } = readTask(words.join(' '), usage);
  return { name: name.toLowerCase(), selector, task, ...readWhen(when, usage) };
}

function readTask(text: string, usage: string): { readonly task: Task; readonly when: string } {
  const [first = '', ...words] = text.split(' ');
  if (first === '') throw usageError('What shall be done, and when?', usage);
  if (first.toLowerCase() !== 'ask') {
    return { task: { kind: 'check', check: first.toLowerCase() }, when: words.join(' ') };
  }
  const [, question = '', when = ''] = /^"([^"]+)" ?(.*)$/.exec(words.join(' ')) ?? [];
  if (question.trim() === '') throw usageError('Put the question in quotes: `ask "what changed?"`.', usage);
  if (question.length > questionMaxCharacters) {
    throw usageError(
      `A question may have ${questionMaxCharacters} characters; yours has ${question.length}.`,
      usage,
    );
  }
  return { task: { kind: 'ask', question: question.trim() }, when };
}

function readWhen(text: string, usage: string): { readonly cron: string; readonly timeZone: string } {
  if (text === '') throw usageError(`When? ${asCode(cronCure)}.`, usage);
  const [, quoted, behind = ''] = /^["']([^"']*)["'] ?(.*)$/.exec(text) ?? [];
  const words = text.split(' ');
  // Copied from a message, its asterisks may be those that we show outside of code.
  const cron = (quoted?.trim() ?? words.slice(0, fieldsOfCron).join(' ')).replaceAll('∗', '*');
  const zone = quoted === undefined ? words.slice(fieldsOfCron).join(' ') : behind;
  const problem = validateCron(cron);
  if (problem !== undefined)
    throw new InputError(`The time \`${cron}\` ${asCode(`${problem}. ${cronCure}`)}.`);
  const timeZone = zone === '' ? defaultTimeZone : zone;
  if (!isTimeZone(timeZone)) {
    throw new InputError(`There is no time zone \`${timeZone}\`. ${asCode(timeZoneCure(timeZone))}`);
  }
  return { cron, timeZone };
}
