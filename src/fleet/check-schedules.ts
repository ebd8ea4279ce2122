import type { LocatedProblem } from './describe-issue.ts';
import type { Path } from './read-yaml.ts';
import { checkNames, timeProblems } from './time-problems.ts';
import type { ScheduleEntry } from './time-rules.ts';
import { unknownName } from './unknown-name.ts';

const list: Path = ['schedules'];

/**
 * Reports schedules that have no time or no task that could be used, or a name that another one has.
 * @param checks every check of the file; undefined where they are not all known
 */
export function checkSchedules(
  rows: readonly { readonly index: number; readonly value: ScheduleEntry | undefined }[],
  checks: readonly string[] | undefined,
  lineOf: (path: Path) => number,
  report: (problem: LocatedProblem) => void,
): void {
  for (const { index, value } of rows) {
    if (value === undefined) continue;
    for (const found of entryProblems(value, checks)) {
      report({ ...found, path: [...list, index, ...found.path] });
    }
  }
  checkNames(list, 'schedule', rows, lineOf, report);
}

function entryProblems(entry: ScheduleEntry, checks: readonly string[] | undefined): LocatedProblem[] {
  const { check, ask } = entry;
  const unknownCheck = check === undefined ? undefined : checks && unknownName('check', check, checks);
  const isOneTask = (check === undefined) !== (ask === undefined);
  return [
    ...timeProblems(entry),
    ...(unknownCheck ? [{ path: ['check'], ...unknownCheck }] : []),
    ...(isOneTask
      ? []
      : [
          {
            path: [],
            problem: 'has not exactly one of check and ask',
            cure: 'Write what is to be done, once',
          },
        ]),
  ];
}
