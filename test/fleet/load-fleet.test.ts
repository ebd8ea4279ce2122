import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { formatPath } from '../../src/fleet/describe-issue.ts';
import { FleetFileError, type FleetFileProblem } from '../../src/fleet/errors.ts';
import { fleetFileJsonSchema } from '../../src/fleet/fleet-file.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { cpuMsOf, fleetOfOne, hostKey, machineWith } from './fixtures.ts';

function problemsOf(text: string): readonly FleetFileProblem[] {
  try {
    loadFleet(text, 'fleet.yaml');
  } catch (error) {
    if (error instanceof FleetFileError) return error.problems;
    throw error;
  }
  return [];
}

const schemaNode = z.object({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
});

/** The paths of all keys in a JSON Schema; `free` stands for a key that the file's author chooses. */
function pathsOf(schema: unknown, free = 'any'): string[][] {
  const { properties = {}, additionalProperties: below } = schemaNode.parse(schema);
  const keys = typeof below === 'object' ? { ...properties, [free]: below } : properties;
  return Object.entries(keys).flatMap(([key, inner]) => {
    const further = pathsOf(inner, key === 'mounts' ? '/any' : 'any');
    return [[key], ...further.map((path) => [key, ...path])];
  });
}

/** One machine with one more line; line 6 of the text. */
const withLine = (line: string): string =>
  `version: 1\nmachines:\n  - name: rhel-01\n    address: rhel-01.test\n    hostKey: ${hostKey(1)}\n${line}\n`;

test('a machine with three lines gets every default', () => {
  const machine = machineWith();
  expect(machine).toMatchObject({
    ssh: { user: 'fleetbot', port: 22 },
    role: 'unassigned',
    checks: ['disk', 'memory', 'load', 'services', 'logs', 'kernel', 'time', 'network'],
    agent: { id: 'edge', transport: 'gateway-ws', diagnose: 'by-request' },
    expect: { disk: { warnUsedPercent: 80, mounts: {} } },
  });
});

test("defaults stand under a machine's own values: groups are merged, lists replaced", () => {
  const fleet = loadFleet(
    `version: 1
defaults:
  ssh: { user: ops, port: 2222 }
  labels: { site: berlin, env: test }
  checks: [disk, load]
  expect: { disk: { criticalUsedPercent: 97, mounts: { /var: { warnUsedPercent: 70 } } } }
machines:
  - name: a
    address: a.test
    hostKey: ${hostKey(1)}
    ssh: { port: 22 }
    labels: { env: prod }
    checks: [memory]
    expect: { disk: { warnUsedPercent: 60 } }
  - { name: b, address: b.test, hostKey: ${hostKey(2)} }
`,
    'fleet.yaml',
  );
  expect(fleet.machines.get('a')).toMatchObject({
    ssh: { user: 'ops', port: 22 },
    labels: { site: 'berlin', env: 'prod' },
    checks: ['memory'],
    expect: {
      disk: { warnUsedPercent: 60, criticalUsedPercent: 97, mounts: { '/var': { warnUsedPercent: 70 } } },
    },
  });
  expect(fleet.machines.get('a')?.expect.disk.mounts['/var']).toEqual({ warnUsedPercent: 70 });
  expect(fleet.machines.get('b')).toMatchObject({
    ssh: { user: 'ops', port: 2222 },
    checks: ['disk', 'load'],
  });
});

test("a custom check of the same name replaces the defaults' one as a whole", () => {
  const fleet = loadFleet(
    `version: 1
defaults: { customChecks: { raid: { summary: all, command: [a], mustMatch: x }, other: { summary: o, command: [b], mustMatch: y } } }
machines:
  - { name: a, address: a.test, hostKey: ${hostKey(1)}, customChecks: { raid: { summary: mine, command: [c], mustNotMatch: z } } }
`,
    'fleet.yaml',
  );
  const checks = fleet.machines.get('a')?.customChecks;
  expect(Object.keys(checks ?? {})).toEqual(['raid', 'other']);
  expect(checks?.raid).toEqual({ summary: 'mine', command: ['c'], exitCodes: [0], mustNotMatch: 'z' });
});

test('a row of the access table knows its line, and `all` is every verb', () => {
  const fleet = fleetOfOne('', 'access:\n  - people: [U0123ABCD]\n    machines: all\n    verbs: all\n');
  expect(fleet.access).toEqual([
    {
      people: ['U0123ABCD'],
      groups: [],
      machines: 'all',
      verbs: ['view', 'check', 'ask', 'cancel', 'halt', 'resume', 'silence', 'act', 'approve'],
      twoPeople: [],
      upTo: 'reversible',
      line: 8,
    },
  ]);
});

test('the example that we ship loads', () => {
  const fleet = loadFleet(readFileSync('deploy/fleet.example.yaml', 'utf8'), 'deploy/fleet.example.yaml');
  expect([...fleet.machines.keys()]).toEqual(['rhel-01', 'rhel-02']);
});

test('the example and the README price the same model by the name that OpenClaw tells: without its provider', () => {
  const { prices } = loadFleet(
    readFileSync('deploy/fleet.example.yaml', 'utf8'),
    'deploy/fleet.example.yaml',
  );
  const [, inReadme] = /^prices:.*\n {2}(\S+):/m.exec(readFileSync('README.md', 'utf8')) ?? [];
  expect(Object.keys(prices)).toEqual([inReadme]);
  expect(inReadme).not.toContain('/');
});

test('every problem is told at once, with line, path and cure, in the order of lines', () => {
  const problems = problemsOf(`version: 1
defaults:
  channel: '#ops'
machines:
  - name: RHEL 01
    address: rhel-01.test
    hostKey: ${hostKey(1)}
  - name: b
    address: b.test
    hostkey: ${hostKey(2)}
  - name: c
    address: c.test
    hostKey: ${hostKey(3)}
    checks: [dsik]
  - name: c
    address: c.test
    hostKey: ${hostKey(4)}
access:
  - people: [someone]
    machines: "role=web &"
    verbs: [veiw]
acess: []
`);
  expect(problems.map((p) => [p.line, p.path, p.cure])).toEqual([
    [3, 'defaults.channel', 'Write a Slack channel id such as C0123ABCD'],
    [5, 'machines[0].name', 'Write a name such as rhel-01, in lower case'],
    [8, 'machines[1].hostKey', expect.stringContaining('ssh-keyscan')],
    [10, 'machines[1].hostkey', 'Did you mean "hostKey"?'],
    [14, 'machines[2].checks[0]', 'Did you mean "disk"?'],
    [15, 'machines[3].name', 'Give each machine a name of its own'],
    [16, 'machines[3].address', expect.stringContaining('Remove one')],
    [19, 'access[0].people[0]', 'Write Slack user ids such as [U0123ABCD]'],
    [20, 'access[0].machines', expect.stringContaining('role=web, a label (env=prod) or all')],
    [21, 'access[0].verbs[0]', 'Did you mean "view"?'],
    [22, 'acess', 'Did you mean "access"?'],
  ]);
});

test('the message of the error has one line per problem, as an editor can open it', () => {
  expect(() => loadFleet(withLine("    channel: 'ops'"), 'deploy/fleet.yaml')).toThrow(
    /^deploy\/fleet\.yaml:6: machines\[0\]\.channel: .+\. Write a Slack channel id such as C0123ABCD$/,
  );
});

test.each([
  ['', 1, 'empty'],
  ['# only a comment\n', 1, 'empty'],
  ['just text', 1, 'must be a group'],
  ['- a\n- b\n', 1, 'must be a group'],
  ['version: 1\nmachines: []\n', 2, 'at least 1'],
  ['version: 2\nmachines: []\n', 1, 'not known here'],
  ['version: 1\n', 1, 'is missing'],
  ['version: 1\nmachines:\n\t- name: a\n', 3, 'Tabs'],
  [withLine('version: 1'), 6, '"version" stands here a second time'],
  ['version: 1\nmachines: [\n', 3, ''],
  ['version: 1\nmachines: *none\n', 2, 'no anchor'],
  ['version: 1\n---\nversion: 1\n', 2, 'multiple documents'],
  ['version: 1\nmachines: !!js/function "x"\n', 2, 'tag'],
  [withLine('    labels: { env: 1 }'), 6, 'must be text'],
  [withLine('    labels: { role: web }'), 6, 'cannot be a key'],
  [withLine('    labels:'), 6, 'is empty'],
  [withLine('    ssh: { prot: 22 }'), 6, '"prot" is not known'],
  [withLine('    agent: { transport: gateway }'), 6, '"gateway" is not known'],
  [withLine('    agent: { commands: [builtin, df] }'), 6, 'would be the name of a program'],
  [withLine('    agent: { commands: [systemctl restart nginx] }'), 6, 'changes the machine'],
  [withLine('    agent: { readPaths: [/etc/shadow] }'), 6, 'stays unread'],
  [withLine('    agent: { readPaths: [/root/.ssh/*] }'), 6, 'stays unread'],
  [withLine('    expect: { certs: { files: [/etc/pki/tls/certs/web.crt] } }'), 6, 'never looked at'],
  [withLine('    expect: { disk: { mounts: { /var: { warnUsed: 3 } } } }'), 6, '"warnUsed" is not known'],
  [withLine('    expect: { disk: { mounts: { var: {} } } }'), 6, 'cannot be a key'],
  [withLine('    limits: { taskTimeoutMs: 0.5 }'), 6, 'whole number'],
  [withLine('    expect: { disk: { warnUsedPercent: 90 } }'), 6, 'not below the critical limit 90'],
  [withLine('    expect: { memory: { warnAvailablePercent: 4 } }'), 6, 'not above the critical limit 5'],
  [withLine('    expect: { disk: { mounts: { /var: { warnUsedPercent: 95 } } } }'), 6, 'not below'],
  [withLine('    customChecks: { disk: { summary: s, command: [a], mustMatch: x } }'), 6, 'built-in'],
  [withLine('    customChecks: { raid: { summary: s, command: [a] } }'), 6, 'at least one of'],
  [
    withLine("    customChecks: { raid: { summary: s, command: [a], mustMatch: '(' } }"),
    6,
    'not a regular expression',
  ],
  [
    withLine("    customChecks: { raid: { summary: s, command: [a], mustMatch: '(a+)+b' } }"),
    6,
    'endless time',
  ],
  [
    withLine("    customChecks: { raid: { summary: s, command: [a], mustMatch: '(a)\\1' } }"),
    6,
    'back-reference',
  ],
  [
    withLine(`    customChecks: { raid: { summary: s, command: [a], mustMatch: '${'x'.repeat(201)}' } }`),
    6,
    '200 characters',
  ],
  [
    withLine(
      "    customChecks: { raid: { summary: s, command: [a], number: { pattern: '\\d+', warnAbove: 1 } } }",
    ),
    6,
    'no group',
  ],
  [
    withLine("    customChecks: { raid: { summary: s, command: [a], number: { pattern: '(\\d+)' } } }"),
    6,
    'has no limit',
  ],
  [
    withLine("    customChecks: { raid: { summary: s, command: [a], mustMatch: '^$' } }"),
    6,
    'even an empty one',
  ],
  [withLine('    expect: { disk: { mounts: { /var/: { warnUsedPercent: 70 } } } }'), 6, 'cannot be a key'],
  [withLine('    actions: [Restart It]'), 6, 'cannot be used'],
])('%j is refused on the right line', (text, line, problem) => {
  const [first] = problemsOf(text);
  expect(first).toMatchObject({ line, problem: expect.stringContaining(problem) });
  expect(first?.cure).not.toBe('');
});

test.each(['ops@rhel-01.test', 'rhel-01.test:22', 'rhel 01', '-oProxyCommand=x'])(
  '%j is no address',
  (address) => {
    const text = withLine('').replace('address: rhel-01.test', `address: "${address}"`);
    // A leading dash is legal in no host name, and dangerous on command lines.
    expect(problemsOf(text)[0]).toMatchObject({ line: 4, path: 'machines[0].address' });
  },
);

test.each(['192.0.2.1', '2001:db8::1', '::1', 'fe80::1%eth0', 'rhel-01'])('%j is an address', (address) => {
  expect(problemsOf(withLine('').replace('address: rhel-01.test', `address: "${address}"`))).toEqual([]);
});

test('a host key that was cut or is of another type is refused', () => {
  const key = hostKey(1);
  for (const bad of [key.slice(0, -8), key.replace('ssh-ed25519 ', 'ssh-rsa ')]) {
    expect(problemsOf(withLine('').replace(key, bad))[0]).toMatchObject({
      path: 'machines[0].hostKey',
      line: 5,
    });
  }
});

test('what is wrong in defaults is told once, not for every machine', () => {
  const machines = Array.from(
    { length: 3 },
    (_, i) => `  - { name: m${i}, address: m${i}, hostKey: ${hostKey(i)} }`,
  );
  const problems = problemsOf(
    `version: 1\ndefaults:\n  checks: [disk, memroy]\n  expect: { load: { warnPerCpu: 5 } }\nmachines:\n${machines.join('\n')}\n`,
  );
  expect(problems.map((p) => [p.line, p.path])).toEqual([
    [3, 'defaults.checks[1]'],
    [4, 'defaults.expect.load.warnPerCpu'],
  ]);
});

test('aliases may be used in every machine, but an alias bomb is refused', () => {
  const machines = Array.from(
    { length: 500 },
    (_, i) =>
      `  - { name: m${i}, address: m${i}, hostKey: ${hostKey(i)}, labels: ${i === 0 ? '&l { env: prod }' : '*l'} }`,
  );
  expect(problemsOf(`version: 1\nmachines:\n${machines.join('\n')}\n`)).toEqual([]);

  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++)
    bomb.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  const tookMs = cpuMsOf(() => {
    expect(problemsOf(bomb.join('\n')).at(-1)).toMatchObject({ problem: expect.stringContaining('aliases') });
  });
  expect(tookMs).toBeLessThan(2_000);
});

describe('a row of the access table', () => {
  const row = (selector: string, machine = '    labels: { stage: test }') =>
    problemsOf(
      `${withLine(machine)}access:\n  - { groups: [S0123ABCD], machines: "${selector}", verbs: all }\n`,
    );

  test.each([
    ['role=web & !stgae=prod', 'names the label "stgae", which no machine has', 'Did you mean "stage"?'],
    ['stgae=prod', 'names the label "stgae", which no machine has', 'Did you mean "stage"?'],
    ['rloe=web', 'names the label "rloe", which no machine has', 'Did you mean "role"?'],
    ['rhel-1', 'names the machine "rhel-1", which is not in this file', 'Did you mean "rhel-01"?'],
    ['all & !rhel-1', 'names the machine "rhel-1", which is not in this file', 'Did you mean "rhel-01"?'],
    ['warehouse', 'names the machine "warehouse"', 'Remove that part, or add the machine'],
    ['all,!rhel-01', '"!rhel-01" beside "," excludes nothing', 'Did you mean `all&!rhel-01`?'],
  ])('%j is refused: it does not do what was meant', (selector, problem, cure) => {
    expect(row(selector)).toMatchObject([
      { line: 8, path: 'access[0].machines', problem: expect.stringContaining(problem), cure },
    ]);
  });

  test('may name what exists, and patterns and roles that match nothing yet', () => {
    expect(row('all & !stage=prod & !role=db & !rhel-01, RHEL-01, stage=new, db-*, role=none')).toEqual([]);
  });

  test('is not held against labels and names that could not be read', () => {
    expect(row('stage=prod', '    labels: { stage: [test] }')).toMatchObject([
      { path: 'machines[0].labels.stage' },
    ]);
    expect(row('web-01', '  - name: Web 01\n    address: b')).toMatchObject([
      { path: 'machines[1].name' },
      { path: 'machines[1].hostKey' },
    ]);
    expect(
      problemsOf('version: 1\naccess: [{ people: [U0ANN], machines: rhel-01, verbs: all }]\n'),
    ).toMatchObject([{ path: 'machines' }]);
  });

  test('may use the labels of a machine with other mistakes', () => {
    expect(row('stage=prod', '    labels: { stage: test }\n    checks: all')).toMatchObject([
      { path: 'machines[0].checks' },
    ]);
  });
});

test('a mistake hides no other one in the same machine', () => {
  const problems = problemsOf(`version: 1
machines:
  - { name: a, address: a.test, hostKey: ${hostKey(1)} }
  - name: a
    address: a.test
    hostKey: nonsense
    checks: [dsik]
    expect: { load: { warnPerCpu: 5 } }
`);
  expect(problems.map((p) => [p.line, p.path])).toEqual([
    [4, 'machines[1].name'],
    [5, 'machines[1].address'],
    [6, 'machines[1].hostKey'],
    [7, 'machines[1].checks[0]'],
    [8, 'machines[1].expect.load.warnPerCpu'],
  ]);
});

test.each([
  [
    'its own checks',
    '    checks: [raid]\n    customChecks: { raid: { summary: s, command: a } }',
    'customChecks',
  ],
  ['its port', `    ssh: { port: x }\n  - { name: b, address: rhel-01.test, hostKey: ${hostKey(2)} }`, 'ssh'],
  [
    'its limits',
    '    expect: { disk: { warnUsedPercent: x, mounts: { /a: { warnUsedPercent: 95 } } } }',
    'expect',
  ],
])('where %s could not be read, nothing is said of what rests on them', (_case, lines, key) => {
  const problems = problemsOf(withLine(lines));
  expect(problems).toHaveLength(1);
  expect(problems[0]?.path).toContain(`machines[0].${key}.`);
});

test('what cannot be read in defaults hides nothing else there, and makes no mistakes of its own', () => {
  const problems = problemsOf(`version: 1
defaults:
  channel: ops
  checks: [raid]
  customChecks: { raid: { summary: s, command: [a], mustMatch: '(' } }
machines:
  - { name: a, address: a.test, hostKey: ${hostKey(1)}, channel: ops }
`);
  expect(problems.map((p) => p.path)).toEqual([
    'defaults.channel',
    'defaults.customChecks.raid.mustMatch',
    'machines[0].channel',
  ]);
});

describe('a cure', () => {
  const cureOf = (line: string) => problemsOf(withLine(line))[0]?.cure;

  test.each([
    ['    checks: disk', 'Write for example [disk, memory, load, services]'],
    ['    expect: { disk: { warnUsedPercent: 101 } }', 'Write a percentage such as 80'],
    ['    expect: { memory: { warnAvailablePercent: -1 } }', 'Write for example 15'],
    ['    expect: { disk: { ignoreMounts: /mnt } }', 'Write for example [/mnt/*]'],
    ['    expect: { load: { warnPerCpu: -1 } }', 'Write for example 1.5'],
    ['    limits: { taskTimeoutMs: 0 }', 'Write for example 180000'],
    ['    ssh: { port: 70000 }', 'Write for example 22'],
    ['    ssh: { user: [] }', 'Write for example fleetbot'],
    ['    agent: { diagnose: alwys }', 'Write one of always, on-finding, never, by-request'],
    [
      '    customChecks: { raid: { summary: s, command: cat /proc/mdstat 5 } }',
      'Write [cat, /proc/mdstat, "5"]',
    ],
    [
      '    customChecks: { raid: { summary: s, command: cat /x | wc -l } }',
      'Write the program and its arguments, for example [cat, /proc/mdstat]; there is no shell',
    ],
    [
      '    customChecks: { x: { summary: s, command: [a], exitCodes: [256], mustMatch: x } }',
      'Write for example [0]',
    ],
    ['access: all', expect.stringContaining('people: [U0123ABCD]')],
    ['access: [{ people: [U0ANN], machines: [all], verbs: all }]', expect.stringContaining('rhel-*')],
    ['access: [{ people: [U0ANN], machines: all, verbs: [chekc] }]', 'Did you mean "check"?'],
    ['access: [{ people: [U0ANN], machines: all, verbs: check }]', expect.stringContaining('a list of view')],
  ])('of %j shows what to write: %j', (line, cure) => {
    expect(cureOf(line)).toEqual(cure);
  });

  const file = z.object({ properties: z.record(z.string(), z.unknown()) }).parse(fleetFileJsonSchema());
  const { machines, access, suggestions, schedules } = z
    .record(z.string(), z.object({ items: z.unknown() }).catch({ items: {} }))
    .parse(file.properties);

  test.each([
    ['a machine', ['machines', 0], machines?.items, 50],
    ['a row of the access table', ['access', 0], access?.items, 5],
    ['a suggestion', ['suggestions', 0], suggestions?.items, 6],
    ['a schedule', ['schedules', 0], schedules?.items, 8],
    ['actions', ['actions'], file.properties.actions, 12],
    ['approvals', ['approvals'], file.properties.approvals, 9],
  ])('is given for every key that %s can have', (_part, at, schema, atLeast) => {
    const paths = pathsOf(schema);
    expect(paths.length).toBeGreaterThanOrEqual(atLeast);
    for (const path of paths) {
      const full = [...at, ...path];
      const wrong = full.reduceRight<unknown>(
        (inner, key) => (key === 0 ? [inner] : { [key]: inner }),
        [[[]]],
      );
      const text = JSON.stringify({
        version: 1,
        machines: [{}],
        ...z.record(z.string(), z.unknown()).parse(wrong),
      });
      const [problem] = problemsOf(text).filter((p) => p.path.startsWith(formatPath(full)));
      expect(problem?.cure, path.join('.')).not.toMatch(
        /^(?:Compare|Correct|Write (?:more|less|text|a list|a number|a whole number|true or false|a group[^,]*)$)/,
      );
    }
  });
});

test('a selector that matches no machine is legal', () => {
  const fleet = fleetOfOne('', 'access:\n  - { groups: [S0123ABCD], machines: role=none, verbs: [view] }\n');
  expect(fleet.access).toHaveLength(1);
});

test('three thousand machines load in under a second', () => {
  const machines = Array.from(
    { length: 3_000 },
    (_, i) => `  - name: rhel-${i}
    address: rhel-${i}.example.com
    hostKey: ${hostKey(i)}
    role: web
    labels: { site: berlin, env: prod }
    expect: { services: { active: [sshd.service] } }
`,
  );
  const text = `version: 1\nmachines:\n${machines.join('')}`;
  const tookMs = cpuMsOf(() => expect(loadFleet(text, 'fleet.yaml').machines.size).toBe(3_000));
  process.stdout.write(
    `3,000 machines (${Math.round(text.length / 1000)} kB) loaded in ${Math.round(tookMs)} ms of CPU\n`,
  );
  expect(tookMs).toBeLessThan(1_000);
});
