import { type Action, type Param, type Params, paramNameSchema } from './action.ts';
import { describeAllowed, isAllowedValue, literalRule, paramRule } from './allowed-values.ts';
import { suggest } from './suggest.ts';
import { fillTemplate, templatePieces } from './template.ts';

/** What a machine would run, and every parameter's value, defaults too, in the action's order. */
export interface RenderedAction {
  readonly argv: string[];
  readonly params: Params;
}

/** Why it cannot be, as a sentence for the person who asked. */
export interface ParamsProblem {
  readonly problem: string;
}

/**
 * The argument vector of an action with these parameters: one argument for each template, whatever the values hold.
 * Every argument matches its rule of `argumentRules`.
 */
export function renderAction(action: Action, params: Params): RenderedAction | ParamsProblem {
  const known = Object.keys(action.params);
  const unknown = Object.keys(params).find((name) => !known.includes(name));
  if (unknown !== undefined) return { problem: unknownParam(unknown, known) };
  const values: Params = {};
  for (const [name, param] of Object.entries(action.params)) {
    const given = Object.hasOwn(params, name) ? params[name] : undefined;
    const value = given ?? defaultOf(param);
    if (value === undefined)
      return { problem: `${name} is missing. Write ${name}=…: ${describeAllowed(param)}.` };
    if (!isAllowedValue(param, value)) {
      return { problem: `${name} cannot be ${JSON.stringify(value)}. It is ${describeAllowed(param)}.` };
    }
    values[name] = value;
  }
  const argv = action.argv.map((template) => fillTemplate(template, values));
  const rules = argumentRules(action);
  const refused = argv.find((argument, index) => !new RegExp(rules[index] ?? '$^').test(argument));
  if (refused === undefined) return { argv, params: values };
  return {
    problem: `${JSON.stringify(refused)} cannot be an argument: a value may not begin with "-" nor hold "..".`,
  };
}

/**
 * Regular expressions for the arguments of an action, one for each, in what JavaScript and Python have in common. What
 * begins with a value cannot begin with `-`, or it could be an option; what holds free text cannot hold `..`, or it
 * could lead out of a folder.
 */
export function argumentRules({ argv, params }: Action): readonly string[] {
  return argv.map((template) => {
    const pieces = templatePieces(template);
    const rules = pieces.map((piece) => {
      if ('literal' in piece) return literalRule(piece.literal);
      const param = Object.hasOwn(params, piece.name) ? params[piece.name] : undefined;
      if (param === undefined) throw new RangeError(`no parameter for {${piece.name}}`);
      return paramRule(param);
    });
    const beginsWithValue = pieces[0] !== undefined && 'name' in pieces[0];
    const holdsText = pieces.some((piece) => 'name' in piece && params[piece.name]?.type === 'text');
    return `^${beginsWithValue ? '(?!-)' : ''}${holdsText ? '(?!.*\\.\\.)' : ''}${rules.join('')}$`;
  });
}

/** Reads parameters as people type them, `name=value`. A value may hold `=`. */
export function readParams(words: readonly string[]): { readonly params: Params } | ParamsProblem {
  const params: Params = {};
  for (const word of words) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (value === '' || !paramNameSchema.safeParse(name).success) {
      return { problem: `"${word}" is no parameter. Write parameters as name=value, without blanks.` };
    }
    if (Object.hasOwn(params, name)) return { problem: `${name} is given twice. Write it once.` };
    params[name] = value;
  }
  return { params };
}

/** An action's parameters for people, one line each: `size: one of 100M, 200M; 200M if left out`. */
export function describeParams(action: Action): readonly string[] {
  return Object.entries(action.params).map(([name, param]) => {
    const value = defaultOf(param);
    return `${name}: ${describeAllowed(param)}${value === undefined ? '' : `; ${value} if left out`}`;
  });
}

/** A parameter's value where none is given. */
export function defaultOf(param: Param): string | undefined {
  return param.default === undefined ? undefined : String(param.default);
}

function unknownParam(name: string, known: readonly string[]): string {
  if (known.length === 0) return `There is no parameter ${name}: this action has none.`;
  const meant = suggest(name, known);
  return meant === undefined
    ? `There is no parameter ${name}. There are: ${known.join(', ')}.`
    : `There is no parameter ${name}. Did you mean ${meant}?`;
}
