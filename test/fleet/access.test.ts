import { expect, test } from 'vitest';
import { decide, decider, groupsThatMatter } from '../../src/fleet/access.ts';
import { verbs } from '../../src/fleet/fleet.ts';
import { cpuMsOf, fleetOfOne, machineWith } from './fixtures.ts';

const fleet = fleetOfOne(
  '    role: web',
  `access:
  - { groups: [S0OPS], machines: all, verbs: all }
  - { people: [U0ANN], machines: role=web, verbs: [view, check] }
  - { people: [U0ANN, W0BOB], groups: [S0OPS, S0DBA], machines: role=database, verbs: all }
`,
);
const machine = machineWith('    role: web');
const ann = { userId: 'U0ANN', excluded: false, groupIds: [] };

test('what a row allows is allowed, and the row is named', () => {
  expect(decide(fleet, ann, 'check', machine)).toMatchObject({
    allowed: true,
    rule: fleet.access[1],
    reason: 'You may check rhel-01: line 9 of the fleet file allows it.',
  });
});

test('a user group counts like the people in it', () => {
  const member = { userId: 'U0NEW', excluded: false, groupIds: ['S0XYZ', 'S0OPS'] };
  for (const verb of verbs) expect(decide(fleet, member, verb, machine).allowed).toBe(true);
});

test('another verb, another machine and another person are denied, with a reason that says what to do', () => {
  const bob = { userId: 'W0BOB', excluded: false, groupIds: [] };
  const stranger = { userId: 'U0NOBODY', excluded: false, groupIds: ['S0ELSE'] };
  for (const [person, verb] of [
    [ann, 'ask'],
    [bob, 'view'],
    [stranger, 'view'],
  ] as const) {
    const decision = decide(fleet, person, verb, machine);
    expect(decision.allowed).toBe(false);
    expect(decision.rule).toBeUndefined();
    expect(decision.reason).toContain(`${verb} rhel-01`);
    expect(decision.reason).toMatch(/Ask whoever maintains the fleet file/);
  }
});

test('an excluded person is denied even when a row names them', () => {
  const decision = decide(fleet, { ...ann, excluded: true, groupIds: ['S0OPS'] }, 'view', machine);
  expect(decision).toMatchObject({ allowed: false, reason: expect.stringContaining('guests') });
});

test('without an access table everybody is denied everything', () => {
  const closed = fleetOfOne();
  for (const verb of verbs) expect(decide(closed, ann, verb, machine).allowed).toBe(false);
});

test('five thousand machines are decided quickly however long the table is', () => {
  const rows = Array.from(
    { length: 50 },
    (_, i) => `  - { people: [U0ANN], machines: "role=db & env=e${i}, m-${i}-*", verbs: all }`,
  );
  const long = fleetOfOne('    labels: { env: test }', `access:\n${rows.join('\n')}\n`);
  const machines = Array.from({ length: 5_000 }, () => machine);
  const tookMs = cpuMsOf(() => {
    const decideHere = decider(long, ann, 'check');
    expect(machines.some((each) => decideHere(each).allowed)).toBe(false);
  });
  expect(tookMs).toBeLessThan(250);
});

test('Slack is asked only about groups that can make a difference, each once', () => {
  expect(groupsThatMatter(fleet, 'check', [machine])).toEqual(['S0OPS']);
  expect(groupsThatMatter(fleet, 'check', [machine, { ...machine, role: 'database' }])).toEqual([
    'S0OPS',
    'S0DBA',
  ]);
  expect(groupsThatMatter(fleet, 'check', [])).toEqual([]);
});
