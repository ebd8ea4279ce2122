import { type AuditFormat, auditFormats } from '../../fleet/audit/audit-files.ts';
import { lastDays, type Period, readPeriod } from '../../fleet/period.ts';
import { selectMachines } from '../../fleet/selector.ts';
import { readPerson } from '../read-person.ts';
import { type CommandContext, usageError, wordsOf } from './command.ts';

/** What somebody wants to know about: machines, a person, a stretch of time. */
export interface Scope {
  readonly selector: string | undefined;
  /** Slack id. */
  readonly person: string | undefined;
  readonly period: Period;
}

/** Parts the arguments of a command that can answer with a file. @throws InputError for a flag that is none of these */
export function readFileFlags(
  args: string,
  usage: string,
): { readonly words: readonly string[]; readonly format: AuditFormat | undefined } {
  const words = wordsOf(args);
  const formats = auditFormats.filter((format) => words.includes(`--${format}`));
  if (formats.length > 1) throw usageError('One kind of file at a time.', usage);
  const others = words.filter((word) => !auditFormats.some((format) => word === `--${format}`));
  const flag = others.find((word) => word.startsWith('--'));
  if (flag !== undefined) throw usageError(`There is no \`${flag}\`.`, usage);
  return { words: others, format: formats[0] };
}

/**
 * Reads words in any order: every one is a period, a person, or else the selector.
 * @param days the period where none is given: so many days up to now
 * @throws InputError
 */
export function readScope(
  words: readonly string[],
  { usage, days }: { readonly usage: string; readonly days: number },
  { fleet, asker, services }: CommandContext,
): Scope {
  const now = services.clock();
  let selector: string | undefined;
  let person: string | undefined;
  let period: Period | undefined;
  for (const word of words) {
    const asPeriod = readPeriod(word, now);
    // An id alone may be a machine's name in capitals.
    const isMachine = /^\w+$/.test(word) && selectMachines(fleet, word).length > 0;
    const asPerson = isMachine ? undefined : readPerson(word);
    if (asPeriod !== undefined) {
      if (period !== undefined)
        throw usageError('One period at a time; `A..B` is from one to another.', usage);
      period = asPeriod;
    } else if (asPerson !== undefined) {
      if (person !== undefined) throw usageError('One person at a time.', usage);
      person = asPerson === 'me' ? asker.userId : asPerson;
    } else {
      if (selector !== undefined)
        throw usageError('Write one selector, without blanks: `role=web&env=prod`.', usage);
      selector = word;
    }
  }
  return { selector, person, period: period ?? lastDays(days, now) };
}
