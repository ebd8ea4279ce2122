import type { LocatedProblem } from './describe-issue.ts';
import type { Path } from './read-yaml.ts';
import { checkNames, timeProblems } from './time-problems.ts';
import type { WindowEntry } from './time-rules.ts';

const list: Path = ['maintenance'];

/** Reports maintenance windows that have no time that could be used, or a name that another one has. */
export function checkWindows(
  rows: readonly { readonly index: number; readonly value: WindowEntry | undefined }[],
  lineOf: (path: Path) => number,
  report: (problem: LocatedProblem) => void,
): void {
  for (const { index, value } of rows) {
    if (value === undefined) continue;
    for (const found of timeProblems(value)) report({ ...found, path: [...list, index, ...found.path] });
  }
  checkNames(list, 'window', rows, lineOf, report);
}
