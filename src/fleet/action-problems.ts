import type { Action, Param } from './action.ts';
import { argumentWays } from './argument-ways.ts';
import { runsItsArguments } from './command-pattern.ts';
import type { LocatedProblem } from './describe-issue.ts';
import { paramProblems } from './param-problems.ts';
import { maxPatternWays } from './pattern-cost.ts';
import { defaultOf } from './render-action.ts';
import { suggest } from './suggest.ts';
import { hasStrayBrace, namesIn, templatePieces } from './template.ts';
import { holdsUnseen, unseenProblem } from './unseen.ts';

/**
 * Programs whose arguments can hold commands of a language of their own, which may run others: `sed` has `e`, `find`
 * `-exec`, `tar` `--to-command`. What an author writes out or lists is their own; free text is somebody else's.
 */
const interpretsArguments =
  /^(?:sed|[gmn]?awk|find|tar|rsync|git|ed|ex|vim?|psql|mysql|mariadb|sqlite3|m4|make|rpm)$/;

/**
 * What is wrong in an action by itself, with paths that begin in it: in its templates, its parameters, and how it is
 * taken back. Whether what it names exists is told by `check-actions.ts`.
 */
export function actionProblems(action: Action): LocatedProblem[] {
  const params = Object.entries(action.params).flatMap(([name, param]) =>
    paramProblems(param).map((found) => ({ ...found, path: ['params', name, ...found.path] })),
  );
  const templates = [
    ...programProblems(action),
    ...action.argv.flatMap((template, index) =>
      templateProblems(action, template).map((found) => ({ ...found, path: ['argv', index] })),
    ),
    ...unusedParams(action),
  ];
  const sound = params.length + templates.length === 0;
  return [
    ...params,
    ...templates,
    // What follows reads the parameters' values and the templates' rules.
    ...(sound ? [...optionProblems(action), ...textProblems(action)] : []),
    ...undoProblems(action),
  ];
}

interface Found {
  readonly problem: string;
  readonly cure: string;
}

function programProblems({ argv: [program = '', ...rest] }: Action): LocatedProblem[] {
  const cure = 'Begin with the name of the program alone, such as systemctl: the machine looks it up itself';
  const path = ['argv', 0];
  if (namesIn(program).length > 0) {
    return [{ path, problem: `"${program}" is a parameter, so nobody could tell what would run`, cure }];
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(program)) {
    return [{ path, problem: `"${program}" is no bare program name`, cure }];
  }
  return runnerProblems([program, ...rest]);
}

/** A parameter that stands in what a shell or an interpreter reads would be code. */
function runnerProblems(argv: readonly string[]): LocatedProblem[] {
  const runner = argv.findIndex((word) => runsItsArguments(word));
  const index = argv.findIndex((template, at) => at > runner && namesIn(template).length > 0);
  if (runner === -1 || index === -1) return [];
  const problem = `"${argv[runner]}" runs whatever its arguments say, so no parameter can stand after it`;
  const cure = 'Name the program itself, without a shell; or write an action for each value';
  return [{ path: ['argv', index], problem, cure }];
}

function templateProblems({ params }: Action, template: string): Found[] {
  if (holdsUnseen(template)) return [unseenProblem];
  if (hasStrayBrace(template)) {
    const problem = `"${template}" holds a brace that belongs to no parameter`;
    const cure =
      'Write {name} for a parameter, its first letter in lower case; other braces have no place here';
    return [{ problem, cure }];
  }
  const known = Object.keys(params);
  return namesIn(template)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = suggest(name, known);
      const cure = meant === undefined ? `Describe it under "params"` : `Did you mean {${meant}}?`;
      return { problem: `there is no parameter {${name}}`, cure };
    });
}

function unusedParams({ argv, params, undo }: Action): LocatedProblem[] {
  const used = new Set([...argv, ...Object.values(undo?.params ?? {})].flatMap(namesIn));
  return Object.keys(params)
    .filter((name) => !used.has(name))
    .map((name) => ({
      path: ['params', name],
      problem: `{${name}} stands nowhere in argv`,
      cure: 'Write it where it belongs, or remove the parameter',
    }));
}

/** A value at the beginning of an argument could be an option there, and do what nobody expects. */
function optionProblems({ argv, params }: Action): LocatedProblem[] {
  const cure =
    'Write the option into argv, before the value, such as "--lines={lines}"; or leave that value out';
  return argv.flatMap((template, index) => {
    const [piece] = templatePieces(template);
    const param = piece !== undefined && 'name' in piece ? params[piece.name] : undefined;
    if (param === undefined) return [];
    const values = param.type === 'integer' ? [String(param.min)] : valuesOf(param);
    const option = values.find((value) => value.startsWith('-'));
    if (option === undefined) return [];
    return [{ path: ['argv', index], problem: `"${option}" would be read as an option here`, cure }];
  });
}

/** Where free text can stand. */
function textProblems({ argv, params }: Action): LocatedProblem[] {
  const interpreter = argv.find((word) => interpretsArguments.test(word.replace(/^.*\//, '')));
  return argv.flatMap((template, index) => {
    const pieces = templatePieces(template);
    const text = pieces.findIndex((piece) => 'name' in piece && params[piece.name]?.type === 'text');
    const piece = pieces[text];
    if (piece === undefined || !('name' in piece)) return [];
    const found = (problem: string, cure: string) => [{ path: ['argv', index], problem, cure }];
    if (interpreter !== undefined) {
      const problem = `"${interpreter}" can run commands that stand in its arguments, so no free text can`;
      return found(problem, `Let {${piece.name}} be a choice or an integer`);
    }
    const before = pieces[text - 1];
    if (before !== undefined && 'literal' in before && /^--?$/.test(before.literal)) {
      return found('free text would name the option here', 'Write the option out, such as "--name={name}"');
    }
    const parts = pieces.flatMap((each) => ('literal' in each ? each.literal : valuesOf(params[each.name])));
    if (parts.some((part) => part.includes('..')))
      return found('".." cannot stand beside free text', 'Write the path in its shortest form');
    if (argumentWays(template, params) > maxPatternWays) {
      const problem = 'the patterns of its parameters beside each other can take endless time';
      return found(problem, 'Put a character between them that neither of them can hold');
    }
    return [];
  });
}

function undoProblems({ undo, noUndo }: Action): LocatedProblem[] {
  if (undo === undefined && noUndo === undefined) {
    const cure =
      'Name the action that takes it back, "undo: { action: NAME }", or say why there is none: "noUndo: …"';
    return [{ path: [], problem: 'says neither how it is taken back nor that it cannot be', cure }];
  }
  if (undo === undefined || noUndo === undefined) return [];
  return [{ path: ['noUndo'], problem: 'stands beside "undo"', cure: 'Keep one of the two' }];
}

/** The values that the fleet file itself names. */
function valuesOf(param: Param | undefined): readonly string[] {
  if (param === undefined) return [];
  return param.type === 'choice' ? param.values : [defaultOf(param) ?? ''];
}
