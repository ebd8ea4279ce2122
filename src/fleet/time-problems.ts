import { isTimeZone, validateCron } from './cron.ts';
import type { LocatedProblem } from './describe-issue.ts';
import type { Path } from './read-yaml.ts';
import { cronCure, timeZoneCure } from './time-cures.ts';

/** What is wrong with when something of the fleet file happens; paths within its row. */
export function timeProblems({ cron, timeZone }: { cron: string; timeZone?: string | undefined }) {
  const time = validateCron(cron);
  const zoneIsKnown = timeZone === undefined || isTimeZone(timeZone);
  return [
    ...(time === undefined ? [] : [{ path: ['cron'], problem: `"${cron}" ${time}`, cure: cronCure }]),
    ...(zoneIsKnown
      ? []
      : [
          {
            path: ['timeZone'],
            problem: `there is no time zone "${timeZone}"`,
            cure: timeZoneCure(timeZone),
          },
        ]),
  ] satisfies LocatedProblem[];
}

/**
 * Reports rows that have the name of an earlier one.
 * @param list where in the file the list of the rows stands
 * @param what one of them is called
 */
export function checkNames(
  list: Path,
  what: string,
  rows: readonly { readonly index: number; readonly value: { readonly name: string } | undefined }[],
  lineOf: (path: Path) => number,
  report: (problem: LocatedProblem) => void,
): void {
  const names = new Map<string, Path>();
  for (const { index, value } of rows) {
    if (value === undefined) continue;
    const first = names.get(value.name);
    if (first === undefined) {
      names.set(value.name, [...list, index]);
      continue;
    }
    const problem = `"${value.name}" stands on line ${lineOf(first)} already`;
    report({ path: [...list, index, 'name'], problem, cure: `Give each ${what} a name of its own` });
  }
}
