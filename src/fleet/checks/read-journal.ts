import type { CommandOutput } from '../evidence.ts';
import { matchesGlob } from '../glob.ts';
import { type JournalEntry, journalFields, parseJournal } from './parse-journal.ts';
import { shapeOf } from './quote-line.ts';
import { readOutput } from './read-output.ts';

/** How many lines are asked for; at about 600 bytes each they fit a broker's usual limit. */
const journalLines = 200;

/** Matching goes no further into a message: many globs against many long lines would take seconds. */
const matchedCharacters = 300;

/**
 * `journalctl` for the newest lines with these further arguments. Newest first: where the output is cut, the
 * oldest go.
 */
export function journalctl(...args: readonly string[]): readonly string[] {
  return [
    'journalctl',
    '--no-pager',
    '--reverse',
    `--lines=${journalLines}`,
    '--output=json',
    `--output-fields=${journalFields}`,
    ...args,
  ];
}

/**
 * `journalctl` for any one line with these further arguments. With `--output=json` it says neither that there
 * is no journal nor that its user may not read it: no error would look like good news.
 */
export function journalSight(...args: readonly string[]): readonly string[] {
  return ['journalctl', '--no-pager', '--lines=1', ...args];
}

/**
 * Why the journal cannot be judged, from the output at `index` of a `journalSight`; undefined when it can.
 * `what` completes the sentence "the journal holds no line …".
 */
export function sightProblem(
  outputs: readonly CommandOutput[],
  index: number,
  what: string,
): string | undefined {
  const stderr = outputs[index]?.stderr ?? '';
  if (/not seeing messages|insufficient permissions/i.test(stderr)) {
    return 'the user who runs the commands may not read the journal; add it to the group systemd-journal';
  }
  const { text = '', problem } = readOutput(outputs, index);
  if (problem !== undefined) return problem;
  if (/No journal files were/i.test(stderr)) return 'the machine keeps no journal (systemd-journald)';
  return /^(?:-- No entries --)?\s*$/.test(text) ? `the journal holds no line ${what}` : undefined;
}

/** The entries of one output of `journalctl`. `problem`: why they may not be all, as a sentence. */
export interface ReadJournal {
  readonly entries?: readonly JournalEntry[];
  /** There are more entries than could be read. */
  readonly isFull: boolean;
  readonly problem?: string;
}

/** Reads the output of `journalctl` at `index`. */
export function readJournal(outputs: readonly CommandOutput[], index: number): ReadJournal {
  const { text, problem } = readOutput(outputs, index);
  if (text === undefined) return { isFull: false, ...(problem === undefined ? {} : { problem }) };
  const { entries, unread } = parseJournal(text);
  const isFull = problem !== undefined || entries.length + unread >= journalLines;
  if (unread === 0) return { entries, isFull };
  return { entries, isFull, problem: `${unread} of the lines that journalctl printed could not be read` };
}

/** Whether one of the globs matches the text, as far as it is looked at. */
export function matchesAny(text: string, globs: readonly string[]): boolean {
  const beginning = text.slice(0, matchedCharacters);
  return globs.some((glob) => matchesGlob(beginning, glob));
}

/** Messages of one shape: how many, and the newest of them. */
export interface SameShape {
  readonly count: number;
  readonly newest: JournalEntry;
}

/** Groups entries, which stand newest first, by the shape of their messages; the most frequent shape first. */
export function groupByShape(entries: readonly JournalEntry[]): readonly SameShape[] {
  const groups = new Map<string, SameShape>();
  for (const entry of entries) {
    const shape = shapeOf(entry.message);
    const group = groups.get(shape);
    groups.set(shape, { count: (group?.count ?? 0) + 1, newest: group?.newest ?? entry });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}
