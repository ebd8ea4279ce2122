import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FleetFileError, type FleetFileProblem } from '../../src/fleet/errors.ts';
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

/** One machine with one more line; line 6 of the text. */
const withLine = (line: string): string =>
  `version: 1\nmachines:\n  - name: rhel-01\n    address: rhel-01.test\n    hostKey: ${hostKey(1)}\n${line}\n`;

test('a machine with three lines gets every default', () => {
  const machine = machineWith();
  expect(machine).toMatchObject({
    ssh: { user: 'fleetbot', port: 22 },
    role: 'unassigned',
    checks: ['disk', 'memory', 'load', 'services'],
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
      verbs: ['view', 'check', 'ask', 'cancel'],
      line: 8,
    },
  ]);
});

test('the example that we ship loads', () => {
  const fleet = loadFleet(readFileSync('deploy/fleet.example.yaml', 'utf8'), 'deploy/fleet.example.yaml');
  expect([...fleet.machines.keys()]).toEqual(['rhel-01', 'rhel-02']);
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
    [19, 'access[0].people[0]', 'Write Slack user ids such as U0123ABCD'],
    [20, 'access[0].machines', expect.stringContaining('')],
    [21, 'access[0].verbs', 'Write "all" or a list of view, check, ask, cancel'],
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

test('a row that excludes by a label that no machine has is refused: it would exclude nothing', () => {
  const row = (selector: string) =>
    problemsOf(
      `${withLine('    labels: { stage: test }')}access:\n  - { groups: [S0123ABCD], machines: "${selector}", verbs: all }\n`,
    );
  expect(row('role=web & !stgae=prod')).toMatchObject([
    { line: 8, path: 'access[0].machines', cure: 'Did you mean "stage"?' },
  ]);
  expect(row('!stage=prod, !role=db, !rhel-09, stgae=prod')).toEqual([]);
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
