import { expect, test } from 'vitest';
import { explainAccess } from '../../src/fleet/explain-access.ts';
import { fleetOfOne, machineWith } from './fixtures.ts';

const fleet = fleetOfOne(
  '    role: web',
  `access:
  - { people: [U0ANN], machines: all, verbs: [view, check] }
  - { groups: [S0OPS, S0DBA], machines: role=web, verbs: all }
  - { groups: [S0OPS], machines: role=db, verbs: [approve], upTo: destructive }
`,
);
const machine = machineWith('    role: web');
const ann = { userId: 'U0ANN', excluded: false, groupIds: [] };
const ops = { userId: 'U0OPS', excluded: false, groupIds: ['S0OPS'] };

test('every row says whether it applies and why not; the decision comes last', () => {
  expect(explainAccess(fleet, ops, 'approve', machine, 'reversible')).toEqual([
    'Line 8 does not apply: it names neither U0OPS nor a user group of theirs, and gives only view, check.',
    'Line 9 applies: it gives approve for role=web to S0OPS, up to reversible.',
    'Line 10 does not apply: it is for role=db, which rhel-01 is not.',
    'So U0OPS may approve rhel-01, by line 9. But nobody approves what they asked for themselves.',
  ]);
});

test('a row that does not reach the risk says so', () => {
  expect(explainAccess(fleet, ops, 'approve', machine, 'disruptive').slice(1)).toEqual([
    'Line 9 does not apply: it goes up to reversible, and this is disruptive.',
    'Line 10 does not apply: it is for role=db, which rhel-01 is not.',
    'So U0OPS may not approve rhel-01: no row allows it.',
  ]);
});

test('the risk is not spoken of where it does not matter', () => {
  expect(explainAccess(fleet, ann, 'check', machine, 'destructive')[0]).toBe(
    'Line 8 applies: it gives check for all to U0ANN.',
  );
});

test('of act the sentence names what is asked for', () => {
  expect(explainAccess(fleet, ops, 'act', machine).at(-1)).toBe(
    'So U0OPS may ask for actions on rhel-01, by line 9.',
  );
});

test('whoever is excluded is denied, whatever rows apply', () => {
  const lines = explainAccess(fleet, { ...ann, excluded: true }, 'check', machine);
  expect(lines[0]).toContain('Line 8 applies');
  expect(lines.at(-1)).toMatch(/^But U0ANN may not check rhel-01: guests, bots/);
});

test('without an access table that is the explanation', () => {
  expect(explainAccess(fleetOfOne(), ann, 'view', machine)).toEqual([
    'There is no access table.',
    'So U0ANN may not view rhel-01: no row allows it.',
  ]);
});
