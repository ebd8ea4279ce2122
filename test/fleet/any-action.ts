import fc from 'fast-check';
import type { Action, Param } from '../../src/fleet/action.ts';
import { actionProblems } from '../../src/fleet/action-problems.ts';
import { isProblem } from '../../src/fleet/command-pattern.ts';
import { type PatternNode, readTextPattern } from '../../src/fleet/text-pattern.ts';

/** A pattern for text parameters, most of which are allowed. */
export const anyPattern: fc.Arbitrary<string> = fc
  .letrec<{ pattern: string; atom: string }>((tie) => ({
    pattern: fc
      .array(
        fc
          .tuple(tie('atom'), fc.constantFrom('', '', '', '?', '+', '*', '{2}', '{1,3}', '{0,}'))
          .map(([a, q]) => a + q),
        { minLength: 1, maxLength: 4 },
      )
      .map((parts) => parts.join('')),
    atom: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(
        'a',
        'b',
        '-',
        '/',
        ' ',
        '\\.',
        '\\-',
        '\\d',
        '\\w',
        '[a-c]',
        '[a-z0-9._-]',
        '[-x]',
        '[\\w.]',
        '~',
      ),
      tie('pattern').map((inner) => `(?:${inner})`),
      fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `(${one}|${other})`),
    ),
  }))
  .pattern.filter((pattern) => pattern.length <= 60);

/** A text that the pattern matches, by the parts that were read of it. */
export function anyMatch(pattern: string): fc.Arbitrary<string> {
  const read = readTextPattern(pattern);
  return isProblem(read) ? fc.constant('') : anyText(read);
}

function anyText(node: PatternNode): fc.Arbitrary<string> {
  switch (node.kind) {
    case 'one':
      return fc.constantFrom(...node.of);
    case 'sequence':
      return fc.tuple(...node.items.map(anyText)).map((parts) => parts.join(''));
    case 'choice':
      return fc.oneof(...node.options.map(anyText));
    case 'repeat': {
      const lengths = { minLength: node.min, maxLength: Math.min(node.max, node.min + 4) };
      return fc.array(anyText(node.of), lengths).map((parts) => parts.join(''));
    }
  }
}

const anyParam: fc.Arbitrary<Param> = fc.oneof(
  fc.record({
    type: fc.constant('choice' as const),
    values: fc.uniqueArray(
      fc.oneof(fc.constantFrom('a', '-a', '..', '200M', 'a{b}', '^$'), fc.string({ minLength: 1 })),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
  }),
  fc
    .tuple(fc.integer({ min: -2_000, max: 200_000 }), fc.nat(200_000))
    .map(([min, more]) => ({ type: 'integer' as const, min, max: min + more })),
  anyPattern.map((pattern) => ({ type: 'text' as const, pattern })),
);

const anyTemplate = fc
  .array(
    fc.oneof(
      fc.constantFrom('{a}', '{b}', '{c}', '--size=', '-', '/', '..', '$(x) ', '*'),
      fc.string({ maxLength: 5 }),
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(''));

/** An action that a fleet file may hold: whatever it is, `actionProblems` finds nothing wrong. */
export const anyAction: fc.Arbitrary<Action> = fc
  .record({ a: anyParam, b: anyParam, c: anyParam, templates: fc.array(anyTemplate, { maxLength: 3 }) })
  .map(({ templates, ...params }): Action => {
    const argv = ['touch', ...templates];
    const used = Object.entries(params).filter(([name]) => argv.some((each) => each.includes(`{${name}}`)));
    return {
      ...{ summary: 's', argv, params: Object.fromEntries(used), risk: 'reversible', verify: 'disk' },
      ...{ noUndo: 'no', timeoutSeconds: 60, interruptible: false },
    };
  })
  .filter((action) => actionProblems(action).length === 0);

/** Values for `a`, `b` and `c`, most of them near to what they may be. */
export function anyParamsFor(action: Action): fc.Arbitrary<Record<string, string>> {
  const nasty = fc.oneof(
    fc.constantFrom(
      '-',
      '--help',
      '..',
      'a/../b',
      '',
      '\n',
      'a\n',
      'a\0',
      '01',
      '+1',
      '-0',
      '1e3',
      '{a}',
      '\u202e',
    ),
    fc.string(),
    fc.integer().map(String),
  );
  const near = (param: Param): fc.Arbitrary<string> => {
    if (param.type === 'choice') return fc.constantFrom(...param.values);
    if (param.type === 'integer') return fc.integer({ min: param.min - 2, max: param.max + 2 }).map(String);
    return anyMatch(param.pattern);
  };
  const values = Object.entries(action.params).map(([name, param]) => [
    name,
    fc.oneof({ weight: 4, arbitrary: near(param) }, { weight: 1, arbitrary: nasty }),
  ]);
  return fc.record(Object.fromEntries(values));
}
