import { describe, expect, test } from 'vitest';
import { decide, decider, groupsThatMatter } from '../../src/fleet/access.ts';
import { type Risk, risks } from '../../src/fleet/action.ts';
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

describe('for actions', () => {
  const graded = fleetOfOne(
    '',
    `access:
  - { people: [U0ANN], machines: all, verbs: [act, approve] }
  - { groups: [S0OPS], machines: all, verbs: [approve], upTo: disruptive }
  - { groups: [S0DBA, S0OPS], machines: all, verbs: [view, approve], upTo: destructive }
`,
  );
  const member = { userId: 'U0NEW', excluded: false, groupIds: ['S0ELSE', 'S0DBA', 'S0OPS'] };

  test('a row counts up to its risk, reversible where it says nothing', () => {
    const may = (risk: Risk) => decide(graded, ann, 'approve', machine, risk).allowed;
    expect(risks.filter(may)).toEqual(['reversible']);
    expect(decide(graded, member, 'approve', machine, 'destructive')).toMatchObject({
      rule: graded.access[2],
    });
    expect(decide(graded, ann, 'act', machine, 'disruptive').reason).toContain('for disruptive actions');
    expect(decide(graded, ann, 'act', machine).allowed).toBe(true);
  });

  test('the groups through which it is allowed are told, all of them and no others', () => {
    expect(decide(graded, member, 'approve', machine, 'disruptive').groups).toEqual(['S0DBA', 'S0OPS']);
    expect(decide(graded, { ...ann, groupIds: ['S0ELSE'] }, 'approve', machine).groups).toEqual([]);
    expect(decide(graded, member, 'act', machine).groups).toEqual([]);
    expect(decide(graded, { ...member, groupIds: ['S0OPS'] }, 'view', machine).groups).toEqual(['S0OPS']);
  });

  test('Slack is asked only about groups that reach the risk', () => {
    expect(groupsThatMatter(graded, 'approve', [machine], 'disruptive')).toEqual(['S0OPS', 'S0DBA']);
    expect(groupsThatMatter(graded, 'act', [machine], 'reversible')).toEqual([]);
  });

  test('the risk changes nothing for other verbs', () => {
    expect(decide(fleet, ann, 'check', machine, 'destructive').allowed).toBe(true);
  });
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
