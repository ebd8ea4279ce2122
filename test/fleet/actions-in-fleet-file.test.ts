import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { actionsOf } from '../../src/fleet/actions-of.ts';
import { FleetFileError, type FleetFileProblem } from '../../src/fleet/errors.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { renderAction } from '../../src/fleet/render-action.ts';
import { hostKey } from './fixtures.ts';

const machine = (more = '') =>
  `version: 1\nmachines:\n  - name: rhel-01\n    address: rhel-01.test\n    hostKey: ${hostKey(1)}\n${more}`;
const common = 'summary: s, risk: reversible, verify: disk';

function load(more: string, ofMachine = ''): Fleet {
  return loadFleet(`${machine(ofMachine)}${more}`, 'fleet.yaml');
}

function problemsOf(
  more: string,
  ofMachine = '',
): readonly Pick<FleetFileProblem, 'line' | 'path' | 'problem' | 'cure'>[] {
  try {
    load(more, ofMachine);
  } catch (error) {
    if (error instanceof FleetFileError) return error.problems;
    throw error;
  }
  return [];
}

/** One action, `it`, on line 7. */
const actionWith = (more: string) => `actions:\n  it: { ${common}, ${more} }\n`;

test('the example file shows actions, what proposes them, and how people are asked', () => {
  const fleet = loadFleet(readFileSync('deploy/fleet.example.yaml', 'utf8'), 'deploy/fleet.example.yaml');
  const web = fleet.machines.get('rhel-01');
  if (web === undefined) throw new Error('the example has lost its first machine');
  expect([...actionsOf(fleet, web).keys()]).toEqual([
    'vacuum-journal',
    'restart-service',
    'change-log-level',
  ]);
  expect(fleet.suggestions.map(({ action }) => action)).toContain('vacuum-journal');
  expect(fleet.approvals).toMatchObject({ quorum: { destructive: 2 }, passOn: ['S0456EFGH'] });
  const change = fleet.actions.get('change-log-level');
  if (change === undefined) throw new Error('the example has lost its change of a line');
  expect(renderAction(change, {})).toMatchObject({
    argv: ['sed', '-i', 's/^\\(error_log .*\\) notice;$/\\1 debug;/', '/etc/nginx/nginx.conf'],
  });
});

test('what is left out has a default', () => {
  const fleet = load(
    `${actionWith('argv: [a], noUndo: n, precondition: { check: disk }')}suggestions: [{ check: disk, action: it }]\naccess: [{ people: [U0ANN], machines: all, verbs: all }]\n`,
    '    actions: [it]\n',
  );
  expect(fleet.actions.get('it')).toMatchObject({
    ...{ params: {}, timeoutSeconds: 60, interruptible: false },
    precondition: { severities: ['warning', 'critical'] },
  });
  expect(fleet.suggestions).toEqual([
    { check: 'disk', severity: 'warning', action: 'it', params: {}, line: 9 },
  ]);
  expect(fleet.access[0]).toMatchObject({ upTo: 'reversible' });
  expect(fleet.approvals).toMatchObject({
    quorum: { reversible: 1, disruptive: 1, destructive: 2 },
    ...{ differentGroups: ['destructive'], expireMinutes: 30, remindMinutes: 10, validMinutes: 60 },
  });
});

test.each([
  ['argv: ["{p}"], noUndo: n', 'argv[0]', 'nobody could tell what would run'],
  ['argv: [/bin/true], noUndo: n', 'argv[0]', 'is no bare program name'],
  ['argv: [a, "{pp}"], noUndo: n, params: { p: { type: text, pattern: a } }', 'argv[1]', 'no parameter {pp}'],
  ['argv: [a, "{}"], noUndo: n', 'argv[1]', 'a brace that belongs to no parameter'],
  ['argv: [a, "{P}"], noUndo: n', 'argv[1]', 'a brace that belongs to no parameter'],
  ['argv: [a, "b\\nc"], noUndo: n', 'argv[1]', 'cannot be seen'],
  ['argv: [a, "b\\0"], noUndo: n', 'argv[1]', 'cannot be seen'],
  ['argv: [a, "\\u202Eb"], noUndo: n', 'argv[1]', 'cannot be seen'],
  ['argv: [a, "b\\u00a0c"], noUndo: n', 'argv[1]', 'cannot be seen'],
  ['argv: [a], noUndo: n, params: { p: { type: text, pattern: a } }', 'params.p', 'stands nowhere in argv'],
  ['argv: [a]', '', 'neither how it is taken back nor that it cannot be'],
  ['argv: [a], noUndo: n, undo: { action: it }', 'noUndo', 'stands beside "undo"'],
  ['argv: [a], noUndo: n, verify: dsik', 'verify', 'stands here a second time'],
])('an action is refused: %s', (more, path, problem) => {
  expect(problemsOf(actionWith(more))).toContainEqual(
    expect.objectContaining({
      line: 7,
      path: path === 'verify' ? '(YAML)' : `actions.it${path && `.${path}`}`,
      problem: expect.stringContaining(problem),
      cure: expect.stringMatching(/./),
    }),
  );
});

describe('a program that runs what its arguments say', () => {
  const withUnit = (argv: string, type = 'choice, values: [a, b]') =>
    problemsOf(actionWith(`argv: ${argv}, noUndo: n, params: { u: { type: ${type} } }`)).map(
      ({ path, problem }) => [path, problem],
    );

  test.each([
    '[sh, -c, "systemctl restart {u}"]',
    '[bash, -c, "systemctl restart $0", "{u}"]',
    '[env, "A={u}", systemctl]',
    '[xargs, "{u}"]',
    '[python3, -c, "print({u})"]',
    '[perl, -e, "{u}"]',
    '[systemd-run, "{u}"]',
    '[timeout, "5", "{u}"]',
    '[podman, exec, web, /bin/sh, -c, "{u}"]',
  ])('is given no parameter: %s', (argv) => {
    expect(withUnit(argv)).toEqual([
      [
        expect.stringMatching(/^actions\.it\.argv\[\d\]$/),
        expect.stringContaining('runs whatever its arguments say'),
      ],
    ]);
  });

  test('may be used as it is written out', () => {
    expect(problemsOf(actionWith('argv: [sh, -c, "a && b"], noUndo: n'))).toEqual([]);
  });

  test.each([
    '[sed, -i, "s/a/{u}/", /etc/a]',
    '[awk, "{u}"]',
    '[find, /srv, -name, "{u}"]',
    '[tar, "--file={u}"]',
  ])('in a language of its own is given no free text, but a choice: %s', (argv) => {
    expect(withUnit(argv, 'text, pattern: "[a-z]+"')).toEqual([
      [expect.any(String), expect.stringContaining('can run commands that stand in its arguments')],
    ]);
    expect(withUnit(argv)).toEqual([]);
  });
});

test.each([
  ['"{p}"', 'choice, values: [a, -rf]', '"-rf" would be read as an option'],
  ['"{p}"', 'integer, min: -5, max: 5', '"-5" would be read as an option'],
  ['"{p}"', 'text, pattern: "[a-z-]+", default: -x', '"-x" would be read as an option'],
  ['"--{p}"', 'text, pattern: "[a-z]+"', 'free text would name the option'],
  ['"/srv/../{p}"', 'text, pattern: "[a-z]+"', '".." cannot stand beside free text'],
  ['"{p}{p}x"', 'text, pattern: "[a-z]+x[a-z]*"', 'endless time'],
])('an argument %s of which the value is %s is refused', (template, type, problem) => {
  const text = actionWith(`argv: [a, ${template}], noUndo: n, params: { p: { type: ${type} } }`);
  expect(problemsOf(text)).toMatchObject([
    { line: 7, path: 'actions.it.argv[1]', problem: expect.stringContaining(problem) },
  ]);
  const prefixed = text.replace(template, '"--p={p}"');
  expect(problemsOf(prefixed)).toEqual([]);
});

test.each([
  ['choice, values: [a, a]', 'values[1]', '"a" stands there already'],
  ['choice, values: ["a\\tb"]', 'values[0]', 'cannot be seen'],
  ['choice, values: [a], default: b', 'default', '"b" is no value that it may have'],
  ['choice, values: [1]', 'values[0]', 'must be text'],
  ['choice', 'values', 'is missing'],
  ['choise, values: [a]', 'type', '"choise" is not one of the forms'],
  ['choice, vlaues: [a]', 'vlaues', 'is not known here'],
  ['integer, min: 5, max: 4', 'min', 'the least, 5, is above the most, 4'],
  ['integer, min: 1, max: 4, default: 5', 'default', '"5" is no value'],
  ['integer, min: 1, max: 4.5', 'max', 'must be a whole number'],
  ['text, pattern: ".*"', 'pattern', '"." cannot be used here'],
  ['text, pattern: "[a-z]*"', 'pattern', 'matches no text at all'],
  ['text, pattern: "(a+)+b"', 'pattern', 'endless time'],
  ['text, pattern: "[a-z]+", default: A', 'default', '"A" is no value'],
])('a parameter is refused: %s', (type, path, problem) => {
  const found = problemsOf(actionWith(`argv: [a, "x{p}"], noUndo: n, params: { p: { type: ${type} } }`));
  expect(found).toContainEqual(
    expect.objectContaining({
      line: 7,
      path: `actions.it.params.p.${path}`,
      problem: expect.stringContaining(problem),
      cure: expect.stringMatching(/^(?!Compare|Known here: $)./),
    }),
  );
});

describe('an undo', () => {
  const other = (params: string) =>
    `  other: { ${common}, argv: [b, "x{q}"], noUndo: n, params: { q: { type: ${params} } } }\n`;
  const undo = (own: string, given: string, target: string) =>
    problemsOf(
      `${actionWith(`argv: [a, "x{p}"], params: { p: { type: ${own} } }, undo: { action: other, params: ${given} }`)}${other(target)}`,
    );
  const letters = 'text, pattern: "[a-z]+"';

  test.each([
    ['choice, values: [a, b]', '{ q: "{p}" }', 'choice, values: [b, a, c]'],
    ['choice, values: [a, b]', '{ q: "un{p}" }', 'choice, values: [una, unb]'],
    ['choice, values: [a, b]', '{ q: "{p}" }', letters],
    ['integer, min: 1, max: 5', '{ q: "{p}" }', 'choice, values: ["1", "2", "3", "4", "5"]'],
    ['integer, min: 1, max: 50000', '{ q: "{p}" }', 'integer, min: 0, max: 50000'],
    [letters, '{ q: "{p}" }', letters],
    [letters, '{ q: fixed }', letters],
    [letters, '{}', 'choice, values: [a], default: a'],
  ])('that fits every value may be named: %s as %s to %s', (own, given, target) => {
    expect(undo(own, given, target)).toEqual([]);
  });

  test.each([
    [
      'choice, values: [a, b]',
      '{ q: "{p}" }',
      'choice, values: [a]',
      'params.q',
      'it could be "b", which is refused there',
    ],
    ['integer, min: 1, max: 6', '{ q: "{p}" }', 'integer, min: 1, max: 5', 'params.q', 'it could be "6"'],
    [
      'integer, min: 1, max: 50000',
      '{ q: "{p}" }',
      'integer, min: 2, max: 50000',
      'params.q',
      'nobody can tell',
    ],
    [
      'integer, min: 1, max: 50000',
      '{ q: "{p}" }',
      'integer, min: 1, max: 49999',
      'params.q',
      'nobody can tell',
    ],
    [letters, '{ q: "{p}" }', 'text, pattern: "[a-y]+"', 'params.q', 'nobody can tell'],
    [letters, '{ q: "un{p}" }', letters, 'params.q', 'nobody can tell'],
    [letters, '{ q: "{x}" }', letters, 'params.q', '"{x}" names no parameter of this action'],
    [letters, '{ q: "{p}", r: x }', letters, 'params.r', '"other" has no parameter r'],
    [letters, '{}', letters, 'params', '"other" needs the parameter q'],
  ])('that does not is refused: %s as %s to %s', (own, given, target, path, problem) => {
    expect(undo(own, given, target)).toMatchObject([
      { line: 7, path: `actions.it.undo.${path}`, problem: expect.stringContaining(problem) },
    ]);
  });

  test('that is no action is refused', () => {
    expect(problemsOf(actionWith('argv: [a], undo: { action: itt }'))).toMatchObject([
      { path: 'actions.it.undo.action', problem: 'there is no action "itt"', cure: 'Did you mean "it"?' },
    ]);
  });
});

describe('a machine', () => {
  const actions = `${actionWith('argv: [a], undo: { action: back }')}  back: { ${common}, argv: [b], undo: { action: it } }\n`;

  test.each([
    ['actions: [itt]', 'there is no action "itt"', 'Did you mean "it"?'],
    ['actions: [it]', '"it" is taken back by "back", which may not run here', 'Name back too'],
  ])('is not authorised for what it could not do: %s', (line, problem, cure) => {
    const [found] = problemsOf(actions, `    ${line}\n`);
    expect(found).toMatchObject({ line: 6, path: 'machines[0].actions[0]', problem, cure });
  });

  test('must have the checks on which its actions rest', () => {
    const resting = actionWith('argv: [a], noUndo: n, precondition: { check: load }');
    expect(problemsOf(resting, '    actions: [it]\n    checks: [memory]\n')).toMatchObject([
      { line: 6, problem: '"it" rests on the check "disk", which may not run here' },
      { line: 6, problem: '"it" rests on the check "load", which may not run here' },
    ]);
    expect(problemsOf(resting, '    actions: [it]\n    checks: [disk, load]\n')).toEqual([]);
  });

  test('is not judged by an action that cannot be used', () => {
    const broken = actionWith('argv: [/bin/a], noUndo: n');
    expect(problemsOf(broken, '    actions: [it]\n    checks: [memory]\n').map(({ path }) => path)).toEqual([
      'actions.it.argv[0]',
    ]);
  });
});

test.each([
  ['verify: dsik', 'verify', 'there is no check "dsik"'],
  ['verify: disk, precondition: { check: dsik }', 'precondition.check', 'there is no check "dsik"'],
])('an action that rests on no check is refused: %s', (more, path, problem) => {
  const text = `actions:\n  it: { summary: s, risk: reversible, argv: [a], noUndo: n, ${more} }\n`;
  expect(problemsOf(text)).toMatchObject([
    { path: `actions.it.${path}`, problem, cure: 'Did you mean "disk"?' },
  ]);
});

describe('a suggestion', () => {
  const actions = actionWith(
    'argv: [a, "{u}", "{n}"], noUndo: n, params: { u: { type: text, pattern: "[a-z]+" }, n: { type: integer, min: 1, max: 9, default: 1 } }',
  );
  const suggest = (more: string) => problemsOf(`${actions}suggestions:\n  - { ${more} }\n`);

  test.each(['{ u: "{subject}" }', '{ u: abc, n: "3" }'])('may give %s', (params) => {
    expect(suggest(`check: disk, action: it, params: ${params}`)).toEqual([]);
  });

  test.each([
    ['check: dsik, action: it, params: { u: a }', 'check', 'there is no check "dsik"'],
    ['check: disk, action: itt, params: { u: a }', 'action', 'there is no action "itt"'],
    ['check: disk, action: it', 'params', '"it" needs the parameter u'],
    ['check: disk, action: it, params: { u: a, x: b }', 'params.x', '"it" has no parameter x'],
    ['check: disk, action: it, params: { u: A }', 'params.u', '"A" is no value that it may have'],
    ['check: disk, action: it, params: { u: "{host}" }', 'params.u', 'something else than {subject}'],
    ['check: disk, action: it, params: { u: a, n: 3 }', 'params.n', 'must be text'],
    ['check: disk, action: it, params: { u: a }, severity: inconclusive', 'severity', 'is not known here'],
    ['check: disk, action: it, params: { u: a }, machines: rhel-1', 'machines', 'names the machine "rhel-1"'],
    ['check: disk, action: it, params: { u: a }, machines: "a &"', 'machines', 'is not a selector'],
  ])('is refused: %s', (more, path, problem) => {
    expect(suggest(more)).toMatchObject([
      {
        line: 9,
        path: expect.stringMatching(`^suggestions\\[0\\]\\.?${path}`),
        problem: expect.stringContaining(problem),
      },
    ]);
  });
});

test.each([
  [
    'access: [{ people: [U0ANN], machines: all, verbs: [view], upTo: destructive }]',
    'access[0].upTo',
    'says nothing',
  ],
  [
    'access: [{ people: [U0ANN], machines: all, verbs: [act], upTo: destructiv }]',
    'access[0].upTo',
    'is not known here',
  ],
  ['approvals: { passOn: [ops] }', 'approvals.passOn[0]', 'cannot be used'],
  ['approvals: { quorum: { destructive: 0 } }', 'approvals.quorum.destructive', 'at least 1'],
  ['approvals: { expireMinutes: 0 }', 'approvals.expireMinutes', 'must be more than 0'],
  [
    'access: [{ groups: [U0ANN], machines: all, verbs: [view] }]',
    'access[0].groups[0]',
    'U0ANN is a person, no user group',
  ],
  [
    'access: [{ people: [S0OPS], machines: all, verbs: [view] }]',
    'access[0].people[0]',
    'S0OPS is a user group, no person',
  ],
  ['approvals: { expires: 5 }', 'approvals.expires', 'is not known here'],
  ['actions: { Restart: {} }', 'actions.Restart', 'cannot be a key'],
  ['actions: [restart]', 'actions', 'must be a group'],
])('%s is refused', (text, path, problem) => {
  expect(problemsOf(`${text}\n`)).toContainEqual(
    expect.objectContaining({ line: 6, path, problem: expect.stringContaining(problem) }),
  );
});

test('a row with a limit for verbs that it does not give is told both cures', () => {
  expect(
    problemsOf('access: [{ people: [U0ANN], machines: all, verbs: [view], upTo: destructive }]\n'),
  ).toMatchObject([{ cure: 'Remove upTo, or add act or approve to the verbs' }]);
});
