import type { Action, Param, Params } from './action.ts';
import { describeAllowed, isAllowedValue } from './allowed-values.ts';
import type { LocatedProblem } from './describe-issue.ts';
import { missingParams, unknownParam } from './given-params.ts';
import { fillTemplate, hasStrayBrace, namesIn } from './template.ts';

type ParamSpecs = Readonly<Record<string, Param>>;

/** More values than this are not tried one by one. */
const maxTried = 10_000;

/**
 * Why an action's parameters cannot be handed on to the action that takes it back, whatever values people choose.
 * Paths begin in `undo`.
 */
export function undoProblems(
  own: ParamSpecs,
  undo: NonNullable<Action['undo']>,
  target: Action,
): LocatedProblem[] {
  const given = Object.entries(undo.params).flatMap(([name, template]) => {
    const path = ['params', name];
    const param = Object.hasOwn(target.params, name) ? target.params[name] : undefined;
    return param === undefined
      ? [{ path, ...unknownParam(name, undo.action, target.params) }]
      : misfit(template, own, param).map((found) => ({ path, ...found }));
  });
  return [...given, ...missingParams(undo.params, undo.action, target.params)];
}

function misfit(template: string, own: ParamSpecs, target: Param): Omit<LocatedProblem, 'path'>[] {
  const names = namesIn(template);
  const unknown = names.find((name) => !Object.hasOwn(own, name));
  if (unknown !== undefined || hasStrayBrace(template)) {
    const known = Object.keys(own).map((name) => `{${name}}`);
    const cure =
      known.length === 0 ? 'Write the value itself' : `Write a value, or one of ${known.join(', ')}`;
    return [{ problem: `"${template}" names no parameter of this action`, cure }];
  }
  const values = valuesOf(template, own);
  if (values !== undefined) {
    const refused = values.find((value) => !isAllowedValue(target, value));
    if (refused === undefined) return [];
    return [
      {
        problem: `it could be "${refused}", which is refused there`,
        cure: `There it is ${describeAllowed(target)}`,
      },
    ];
  }
  const [name = ''] = names;
  const source = template === `{${name}}` ? own[name] : undefined;
  if (source !== undefined && isWithin(source, target)) return [];
  const cure =
    'Hand on one parameter as it is, with the same pattern or within the same bounds on both sides';
  return [{ problem: 'nobody can tell whether every value is allowed there', cure }];
}

/** Every text that the template can become; undefined where there are too many. */
function valuesOf(template: string, own: ParamSpecs): readonly string[] | undefined {
  let filled: readonly Params[] = [{}];
  for (const name of namesIn(template)) {
    const values = choicesOf(own[name]);
    if (values === undefined || values.length * filled.length > maxTried) return undefined;
    filled = filled.flatMap((params) => values.map((value) => ({ ...params, [name]: value })));
  }
  return filled.map((params) => fillTemplate(template, params));
}

function choicesOf(param: Param | undefined): readonly string[] | undefined {
  if (param?.type === 'choice') return param.values;
  if (param?.type !== 'integer' || param.max - param.min >= maxTried) return undefined;
  return Array.from({ length: param.max - param.min + 1 }, (_, index) => String(param.min + index));
}

/** Whether everything that the one allows is allowed by the other. */
function isWithin(source: Param, target: Param): boolean {
  if (source.type === 'integer' && target.type === 'integer') {
    return source.min >= target.min && source.max <= target.max;
  }
  return source.type === 'text' && target.type === 'text' && source.pattern === target.pattern;
}
