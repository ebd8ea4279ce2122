import type { Action } from './action.ts';
import type { DraftCatalogue } from './authorised-problems.ts';
import type { LocatedProblem } from './describe-issue.ts';
import { undoProblems } from './undo-problems.ts';
import { unknownName } from './unknown-name.ts';

/**
 * Reports actions that name a check or an action that is nowhere in the file, or whose undo would not fit every value
 * that people can choose.
 * @param checks every check of the file; undefined where they are not all known
 */
export function checkActions(
  catalogue: DraftCatalogue,
  checks: readonly string[] | undefined,
  report: (problem: LocatedProblem) => void,
): void {
  for (const [name, action] of catalogue) {
    if (action === undefined) continue;
    for (const found of [...checkNames(action, checks), ...undoNames(action, catalogue)]) {
      report({ ...found, path: ['actions', name, ...found.path] });
    }
  }
}

function checkNames(
  { verify, precondition }: Action,
  checks: readonly string[] | undefined,
): LocatedProblem[] {
  const named = [
    { path: ['verify'], check: verify },
    ...(precondition === undefined ? [] : [{ path: ['precondition', 'check'], check: precondition.check }]),
  ];
  return named.flatMap(({ path, check }) => {
    const found = checks === undefined ? undefined : unknownName('check', check, checks);
    return found === undefined ? [] : [{ path, ...found }];
  });
}

function undoNames(action: Action, catalogue: DraftCatalogue): LocatedProblem[] {
  const { undo } = action;
  if (undo === undefined) return [];
  const unknown = unknownName('action', undo.action, [...catalogue.keys()]);
  if (unknown !== undefined) return [{ path: ['undo', 'action'], ...unknown }];
  const target = catalogue.get(undo.action);
  if (target === undefined) return [];
  return undoProblems(action.params, undo, target).map((found) => ({
    ...found,
    path: ['undo', ...found.path],
  }));
}
