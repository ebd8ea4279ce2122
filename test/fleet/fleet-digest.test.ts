import { expect, it } from 'vitest';
import { fleetDigest } from '../../src/fleet/fleet-digest.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { hostKey } from './fixtures.ts';

const machine = (name: string, more = '') =>
  `  - { name: ${name}, address: ${name}.test, hostKey: ${hostKey(1)}${more} }\n`;
const action = (risk: string) =>
  `actions: { it: { summary: s, argv: [a], risk: ${risk}, verify: disk, noUndo: n } }\n`;
const access = 'access:\n  - { people: [U0ANN], machines: all, verbs: all }\n';
const digest = (text: string, file = 'fleet.yaml') => fleetDigest(loadFleet(`version: 1\n${text}`, file));

const plain = digest(`machines:\n${machine('a')}${machine('b')}${access}`);

it('comments, the order of machines and where the file lies do not change what it means', () => {
  expect(digest(`# Ours\nmachines:\n${machine('b')}${machine('a')}${access}`, 'other.yaml')).toBe(plain);
});

it.each([
  ['a machine', `machines:\n${machine('a')}${access}`],
  ['a setting of a machine', `machines:\n${machine('a', ', role: web')}${machine('b')}${access}`],
  ['a default', `defaults: { role: web }\nmachines:\n${machine('a')}${machine('b')}${access}`],
  ['the access table', `machines:\n${machine('a')}${machine('b')}`],
  [
    'a limit of people',
    `perPerson: { requestsPerMinute: 1 }\nmachines:\n${machine('a')}${machine('b')}${access}`,
  ],
  ['an action', `machines:\n${machine('a')}${machine('b')}${access}${action('reversible')}`],
  [
    'a suggestion',
    `machines:\n${machine('a')}${machine('b')}${access}${action('reversible')}suggestions: [{ check: disk, action: it }]\n`,
  ],
  [
    'how people are asked',
    `approvals: { expireMinutes: 5 }\nmachines:\n${machine('a')}${machine('b')}${access}`,
  ],
  [
    'how far a row goes',
    `machines:\n${machine('a')}${machine('b')}${access.replace('all }', 'all, upTo: disruptive }')}`,
  ],
  [
    'a price',
    `prices: { m: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } }\nmachines:\n${machine('a')}${machine('b')}${access}`,
  ],
])('%s does', (_part, text) => {
  expect(digest(text)).not.toBe(plain);
});

it('tells two risks of one action apart', () => {
  const machines = `machines:\n${machine('a')}`;
  expect(digest(machines + action('reversible'))).not.toBe(digest(machines + action('disruptive')));
});
