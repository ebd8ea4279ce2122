import type { Param, Params } from './action.ts';
import { describeAllowed } from './allowed-values.ts';
import type { LocatedProblem } from './describe-issue.ts';
import { defaultOf } from './render-action.ts';
import { suggest } from './suggest.ts';

/** That an action has no parameter of this name. */
export function unknownParam(
  name: string,
  action: string,
  params: Readonly<Record<string, Param>>,
): Omit<LocatedProblem, 'path'> {
  const known = Object.keys(params);
  const meant = suggest(name, known);
  const others = known.length === 0 ? 'Remove it' : `There are: ${known.join(', ')}`;
  return {
    problem: `"${action}" has no parameter ${name}`,
    cure: meant === undefined ? others : `Did you mean "${meant}"?`,
  };
}

/** The parameters without a default that are not given; told where they should stand. */
export function missingParams(
  given: Params,
  action: string,
  params: Readonly<Record<string, Param>>,
): LocatedProblem[] {
  return Object.entries(params)
    .filter(([name, param]) => !Object.hasOwn(given, name) && defaultOf(param) === undefined)
    .map(([name, param]) => ({
      path: ['params'],
      problem: `"${action}" needs the parameter ${name}`,
      cure: `Write "${name}: …" under it: ${describeAllowed(param)}`,
    }));
}
