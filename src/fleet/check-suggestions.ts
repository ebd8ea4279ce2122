import type { Action } from './action.ts';
import { describeAllowed, isAllowedValue } from './allowed-values.ts';
import type { DraftCatalogue } from './authorised-problems.ts';
import type { LocatedProblem } from './describe-issue.ts';
import type { SuggestionEntry } from './fleet-file.ts';
import { missingParams, unknownParam } from './given-params.ts';
import { fillTemplate, hasStrayBrace, namesIn } from './template.ts';
import { unknownName } from './unknown-name.ts';

/**
 * Reports rules that name a check or an action that is nowhere in the file, or parameters that the action would refuse.
 * @param checks every check of the file; undefined where they are not all known
 */
export function checkSuggestions(
  rows: readonly { readonly index: number; readonly value: SuggestionEntry | undefined }[],
  catalogue: DraftCatalogue,
  checks: readonly string[] | undefined,
  report: (problem: LocatedProblem) => void,
): void {
  for (const { index, value } of rows) {
    const at = (found: LocatedProblem): void =>
      report({ ...found, path: ['suggestions', index, ...found.path] });
    if (value === undefined) continue;
    const check = checks && unknownName('check', value.check, checks);
    if (check !== undefined) at({ path: ['check'], ...check });
    const action = unknownName('action', value.action, [...catalogue.keys()]);
    if (action !== undefined) at({ path: ['action'], ...action });
    const spec = catalogue.get(value.action);
    for (const found of spec === undefined ? [] : paramsProblems(value, spec)) at(found);
  }
}

function paramsProblems({ action, params = {} }: SuggestionEntry, spec: Action): LocatedProblem[] {
  const given = Object.entries(params).flatMap(([name, template]) => {
    const path = ['params', name];
    const param = Object.hasOwn(spec.params, name) ? spec.params[name] : undefined;
    if (param === undefined) return [{ path, ...unknownParam(name, action, spec.params) }];
    const names = namesIn(template);
    if (hasStrayBrace(template) || names.some((each) => each !== 'subject')) {
      const cure = 'Write a value, or {subject} for what the finding is about';
      return [{ path, problem: `"${template}" names something else than {subject}`, cure }];
    }
    // What a finding is about is known only then; whether it may be the value is seen each time.
    if (names.length > 0 || isAllowedValue(param, fillTemplate(template, {}))) return [];
    const problem = `"${template}" is no value that it may have`;
    return [{ path, problem, cure: `Write ${describeAllowed(param)}` }];
  });
  return [...given, ...missingParams(params, action, spec.params)];
}
