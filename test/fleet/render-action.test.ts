import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Action, actionSchema } from '../../src/fleet/action.ts';
import { isAllowedValue } from '../../src/fleet/allowed-values.ts';
import { edgePolicy } from '../../src/fleet/edge-policy.ts';
import { integersPattern } from '../../src/fleet/integers-pattern.ts';
import { describeParams, readParams, renderAction } from '../../src/fleet/render-action.ts';
import { type Pairing, pythonMatches } from '../support/python-matches.ts';
import { anyAction, anyParamsFor } from './any-action.ts';
import { machineWith } from './fixtures.ts';

const vacuum = actionSchema.parse({
  ...{ summary: 's', risk: 'reversible', verify: 'disk', noUndo: 'n' },
  argv: ['journalctl', '--vacuum-size={size}', '-n{lines}', '{unit}'],
  params: {
    size: { type: 'choice', values: ['100M', '1G'], default: '1G' },
    lines: { type: 'integer', min: 1, max: 50, default: 10 },
    unit: { type: 'text', pattern: '[a-z./-]+' },
  },
});
const problemOf = (params: Record<string, string>) => {
  const rendered = renderAction(vacuum, params);
  return 'problem' in rendered ? rendered.problem : rendered;
};

test('values take the place of names, and defaults that of values', () => {
  expect(renderAction(vacuum, { unit: 'sshd', size: '100M' })).toEqual({
    argv: ['journalctl', '--vacuum-size=100M', '-n10', 'sshd'],
    params: { size: '100M', lines: '10', unit: 'sshd' },
  });
});

test('the order of the parameters is that of the action, whatever order people type', () => {
  const one = renderAction(vacuum, { unit: 'a', size: '1G' });
  expect(JSON.stringify(one)).toBe(JSON.stringify(renderAction(vacuum, { size: '1G', unit: 'a' })));
});

test('what a value holds is never read as a template', () => {
  const echo: Action = { ...vacuum, argv: ['echo', '{a}', '{b}'], params: choices({ a: ['{b}'], b: ['x'] }) };
  expect(renderAction(echo, { a: '{b}', b: 'x' })).toMatchObject({ argv: ['echo', '{b}', 'x'] });
});

test.each([
  [{}, 'unit is missing. Write unit=…: text like [a-z./-]+.'],
  [{ unit: 'a', sise: '1G' }, 'There is no parameter sise. Did you mean size?'],
  [{ unit: 'a', size: '2G' }, 'size cannot be "2G". It is one of 100M, 1G.'],
  [{ unit: 'a', lines: '51' }, 'lines cannot be "51". It is a whole number from 1 to 50.'],
  [{ unit: 'a', lines: '+5' }, expect.stringContaining('lines cannot be "+5"')],
  [{ unit: 'a', lines: '05' }, expect.stringContaining('lines cannot be "05"')],
  [{ unit: 'a\n' }, expect.stringContaining('unit cannot be "a\\n"')],
  [{ unit: 'a'.repeat(201) }, expect.stringContaining('unit cannot be')],
  [{ unit: '--output' }, expect.stringContaining('"--output" cannot be an argument')],
  [{ unit: 'a/../../etc' }, expect.stringContaining('may not begin with "-" nor hold ".."')],
  [{ unit: 'a', constructor: 'x' }, expect.stringContaining('There is no parameter constructor')],
])('%j is refused, and it is said what to write', (params, problem) => {
  expect(problemOf(params)).toEqual(problem);
});

describe('parameters as people type them', () => {
  test('are name=value, and a value may hold "="', () => {
    expect(readParams(['size=1G', 'opt=a=b'])).toEqual({ params: { size: '1G', opt: 'a=b' } });
    expect(readParams([])).toEqual({ params: {} });
  });

  test.each([['size'], ['=1G'], ['size='], ['Size=1G'], ['__proto__=1'], ['--size=1G']])(
    '%j is none',
    (word) => {
      expect(readParams([word])).toEqual({ problem: expect.stringContaining(`"${word}" is no parameter`) });
    },
  );

  test('are given once', () => {
    expect(readParams(['a=1', 'a=2'])).toEqual({ problem: 'a is given twice. Write it once.' });
  });

  test('are described by what they may be', () => {
    expect(describeParams(vacuum)).toEqual([
      'size: one of 100M, 1G; 1G if left out',
      'lines: a whole number from 1 to 50; 10 if left out',
      'unit: text like [a-z./-]+',
    ]);
  });
});

test('the rule for whole numbers admits exactly those between its bounds', () => {
  const bound = fc.integer({ min: -3_000, max: 3_000 });
  fc.assert(
    fc.property(bound, fc.nat(2_500), fc.integer({ min: -4_000, max: 8_000 }), (min, more, value) => {
      const rule = new RegExp(`^${integersPattern(min, min + more)}$`);
      expect(rule.test(String(value))).toBe(value >= min && value <= min + more);
    }),
    { numRuns: 3_000 },
  );
  const widest = integersPattern(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  for (const value of ['0', '-1', '9007199254740991', '-9007199254740991'])
    expect(value).toMatch(RegExp(`^${widest}$`));
  for (const value of ['-0', '00', '9007199254740992', '1.0', ''])
    expect(value).not.toMatch(RegExp(`^${widest}$`));
});

test("whatever people give, what is rendered fits the machine's rules, argument by argument, or it is refused", () => {
  const machine = { ...machineWith(), actions: ['it'] };
  const pairs: Pairing[] = [];
  let rendered = 0;
  fc.assert(
    fc.property(
      anyAction.chain((action) => fc.tuple(fc.constant(action), anyParamsFor(action))),
      ([action, params]) => {
        const result = renderAction(action, params);
        const rules: string[] = JSON.parse(edgePolicy(machine, new Map([['it', action]]))).actions.it.argv;
        if ('problem' in result) return;
        rendered += 1;
        expect(result.argv).toHaveLength(action.argv.length);
        expect(result.argv[0]).toBe('touch');
        for (const [index, argument] of result.argv.entries()) {
          expect(argument).not.toMatch(/[\0\n]/);
          if (/^\{/.test(action.argv[index] ?? '')) expect(argument).not.toMatch(/^-/);
          pairs.push([rules[index] ?? '', argument]);
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(rendered).toBeGreaterThan(100);
  expect(pythonMatches(pairs).matches.every((matches) => matches)).toBe(true);
});

test("the machine's rules admit no argument that would not be rendered, in Python as in JavaScript", () => {
  const machine = { ...machineWith(), actions: ['it'] };
  const pairs: Pairing[] = [];
  const expected: boolean[] = [];
  fc.assert(
    fc.property(
      anyAction
        .map((action): Action => ({ ...action, argv: ['touch', '{a}'] }))
        .filter(({ params }) => Object.hasOwn(params, 'a'))
        .chain((action) => fc.tuple(fc.constant(action), anyParamsFor(action))),
      ([action, { a = '' }]) => {
        const only: Action = {
          ...action,
          params: Object.fromEntries(Object.entries(action.params).slice(0, 1)),
        };
        const [, rule = ''] = JSON.parse(edgePolicy(machine, new Map([['it', only]]))).actions.it.argv;
        for (const value of [a, `${a}\n`, `-${a}`, `${a}..`]) {
          pairs.push([rule, value]);
          expected.push('argv' in renderAction(only, { a: value }));
        }
      },
    ),
    { numRuns: 200 },
  );
  expect(expected).toContain(true);
  // Only the length is left to those who render.
  const { matches } = pythonMatches(pairs);
  expect(matches.map((each, index) => each && (pairs[index]?.[1].length ?? 0) <= 200)).toEqual(expected);
});

test('a value is allowed only as a whole', () => {
  expect(isAllowedValue({ type: 'text', pattern: 'a|b' }, 'ax')).toBe(false);
  expect(isAllowedValue({ type: 'choice', values: ['a.c'] }, 'abc')).toBe(false);
});

function choices(values: Record<string, string[]>): Action['params'] {
  return Object.fromEntries(
    Object.entries(values).map(([name, list]) => [name, { type: 'choice' as const, values: list }]),
  );
}
