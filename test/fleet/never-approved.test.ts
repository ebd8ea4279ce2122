import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readFleet } from '../../src/fleet/load-fleet.ts';
import { hostKey } from './fixtures.ts';

/** Two machines; rhel-01 names its actions on line 3. What is more begins on line 6. */
function warningsOf(more: string, actions = '[it]', before = '') {
  const at = (number: number) => `name: rhel-0${number}, address: rhel-0${number}.test`;
  const text = `version: 1
machines:
  - { ${at(1)}, hostKey: ${hostKey(1)}, actions: ${actions} }
  - { ${at(2)}, hostKey: ${hostKey(2)} }
${before}
${more}`;
  return readFleet(text, 'fleet.yaml').warnings;
}

const action = (risk: string, more = 'argv: [a]') =>
  `actions: { it: { summary: s, ${more}, risk: ${risk}, verify: disk, noUndo: n } }\n`;
const row = (who: string, upTo = 'destructive', machines = 'all') =>
  `access: [{ ${who}, machines: ${machines}, verbs: [approve], upTo: ${upTo} }]\n`;

test.each([
  ['', 'reversible', 'no access row that matches gives approve up to reversible', 'upTo: reversible'],
  [row('people: [U0ANN]', 'reversible'), 'disruptive', 'gives approve up to disruptive', 'upTo: disruptive'],
  [row('people: [U0ANN]', 'destructive', 'rhel-02'), 'reversible', 'no access row', 'upTo: reversible'],
  [
    `${row('people: [U0ANN]')}approvals: { quorum: { reversible: 2 } }\n`,
    ...['reversible', 'it takes 2 people, and the access rows that match name only one person'],
    'lower approvals.quorum.reversible',
  ],
  [
    row('people: [U0ANN, U0BOB, U0CYD]'),
    ...['destructive', 'it takes 2 people of different user groups, and the access rows that match name no'],
    'take destructive out of approvals.differentGroups',
  ],
  [
    row('groups: [S0OPS], people: [U0ANN]'),
    ...['destructive', 'name only one user group', 'Name more user groups'],
  ],
])('what nobody could ever approve is told: %j, %s', (access, risk, why, cure) => {
  expect(warningsOf(`${action(risk)}${access}`)).toEqual([
    {
      ...{ line: 3, path: 'machines[0].actions[0]' },
      problem: expect.stringMatching(`^nobody could ever approve "it" \\(${risk}\\) on rhel-01: .*${why}`),
      cure: expect.stringContaining(cure),
    },
  ]);
});

test.each([
  [row('people: [U0ANN]', 'reversible'), 'reversible'],
  [row('people: [U0ANN]', 'disruptive', 'rhel-01'), 'reversible'],
  [row('groups: [S0OPS, S0DBA]'), 'destructive'],
  [`${row('groups: [S0OPS]')}approvals: { quorum: { disruptive: 3 } }\n`, 'disruptive'],
  [`${row('people: [U0ANN, U0BOB]')}approvals: { differentGroups: [] }\n`, 'destructive'],
  [row('people: [U0ANN]').replace('[approve]', 'all'), 'disruptive'],
])('what somebody may be able to approve is not: %j, %s', (access, risk) => {
  expect(warningsOf(`${action(risk)}${access}`)).toEqual([]);
});

test('what comes from the defaults is told once, there, with the machines', () => {
  expect(
    warningsOf(
      action('disruptive') + row('people: [U0ANN]', 'reversible'),
      '[]',
      'defaults: { actions: [it] }',
    ),
  ).toMatchObject([
    { line: 5, path: 'defaults.actions[0]', problem: expect.stringContaining('on rhel-02: ') },
  ]);
});

test('a suggestion whose parameter is what was found is judged by the risk that it then has', () => {
  const suggesting = (risk: string) =>
    warningsOf(
      `${action('reversible', 'argv: [a, "{u}"], params: { u: { type: text, pattern: "[a-z]{1,9}" } }')}${row('people: [U0ANN]', risk)}suggestions: [{ check: disk, action: it, params: { u: "{subject}" } }]\n`,
    );
  expect(suggesting('disruptive')).toEqual([]);
  expect(suggesting('reversible')).toMatchObject([
    {
      line: 8,
      path: 'suggestions[0].action',
      problem: expect.stringContaining('"it" with {subject} (disruptive) on rhel-01'),
    },
  ]);
});

test('a suggestion that no machine could carry out is told', () => {
  const suggesting = (machines: string) =>
    warningsOf(
      `${action('reversible')}${row('people: [U0ANN]')}suggestions: [{ check: disk, action: it, machines: ${machines} }]\n`,
    );
  expect(suggesting('rhel-*')).toEqual([]);
  expect(suggesting('rhel-02')).toMatchObject([
    {
      path: 'suggestions[0].action',
      problem: '"it" is never proposed: no machine that "rhel-02" matches is authorised for it',
    },
  ]);
});

test('the example file has nothing of the kind', () => {
  expect(readFleet(readFileSync('deploy/fleet.example.yaml', 'utf8'), 'f').warnings).toEqual([]);
});
