import type { Action } from './action.ts';
import type { MachineDraft } from './machine.ts';
import type { SettingsProblem } from './settings-problem.ts';
import { unknownName } from './unknown-name.ts';

/** The actions of a fleet file by name; undefined stands for one that cannot be used as it is. */
export type DraftCatalogue = ReadonlyMap<string, Action | undefined>;

/**
 * Actions that a machine is authorised for and that do not exist, that it could not verify, or could not take back.
 * @param checks the checks that may run there; undefined where they are not known
 */
export function authorisedProblems(
  { actions }: MachineDraft,
  catalogue: DraftCatalogue,
  checks: readonly string[] | undefined,
): SettingsProblem[] {
  const known = [...catalogue.keys()];
  return actions.flatMap((name, index) => {
    const found = (problem: string, cure: string) => ({ paths: [['actions', index]], problem, cure });
    const unknown = unknownName('action', name, known);
    if (unknown !== undefined) return [found(unknown.problem, unknown.cure)];
    const action = catalogue.get(name);
    if (action === undefined) return [];
    const wanted = new Set([action.verify, ...(action.precondition ? [action.precondition.check] : [])]);
    const missing = checks === undefined ? [] : [...wanted].filter((check) => !checks.includes(check));
    const unable = missing.map((check) =>
      found(
        `"${name}" rests on the check "${check}", which may not run here`,
        `Name ${check} in "checks", or remove the action here`,
      ),
    );
    const undo = action.undo?.action;
    if (undo === undefined || actions.includes(undo) || !catalogue.has(undo)) return unable;
    return [
      ...unable,
      found(`"${name}" is taken back by "${undo}", which may not run here`, `Name ${undo} too`),
    ];
  });
}
