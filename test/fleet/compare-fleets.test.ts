import { expect, test } from 'vitest';
import { compareFleets } from '../../src/fleet/compare-fleets.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { hostKey } from './fixtures.ts';

const action = (risk: string) =>
  `actions: { it: { summary: s, argv: [a], risk: ${risk}, verify: disk, noUndo: n } }\n`;
const fleet = (more: string) =>
  loadFleet(
    `version: 1\nmachines: [{ name: a, address: a.test, hostKey: ${hostKey(1)} }]\n${more}`,
    'f.yaml',
  );
const base = action('reversible');

test.each([
  ['an action', action('disruptive')],
  ['another action', base.replace('it:', 'that:')],
  ['a suggestion', `${base}suggestions: [{ check: disk, action: it }]\n`],
  ['how people are asked', `${base}approvals: { expireMinutes: 5 }\n`],
])('%s is told as changed, and machines and access are not', (_part, text) => {
  expect(compareFleets(fleet(base), fleet(text))).toEqual({
    ...{ added: [], removed: [], changed: [] },
    ...{ accessChanged: false, actionsChanged: true, signalsChanged: false, costsChanged: false },
  });
});

test.each([
  ['alerts', 'alerts: { debounceSeconds: 7 }\n'],
  ['a window', 'maintenance: [{ name: w, machines: all, cron: 0 2 * * 6, minutes: 5, reason: r }]\n'],
  ['a schedule', 'schedules: [{ name: s, machines: all, check: disk, cron: 0 3 * * *, channel: C01 }]\n'],
  ['what supervisors ask', 'peers: { hops: 2 }\n'],
])('%s is told as changed signals', (_part, text) => {
  expect(compareFleets(fleet(base), fleet(base + text))).toMatchObject({
    ...{ actionsChanged: false, signalsChanged: true },
  });
});

test('lines and comments are no change', () => {
  const rule = 'suggestions: [{ check: disk, action: it }]\n';
  expect(compareFleets(fleet(base + rule), fleet(`${base}# more\n\n${rule}`)).actionsChanged).toBe(false);
});
