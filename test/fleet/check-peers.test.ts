import { expect, it } from 'vitest';
import { FleetFileError } from '../../src/fleet/errors.ts';
import { readFleet } from '../../src/fleet/load-fleet.ts';
import { peerFile } from './peer-fixtures.ts';

function problemsOf(peers: string, machines?: string[]): string[] {
  try {
    readFleet(peerFile(peers, machines), 'fleet.yaml');
  } catch (error) {
    if (error instanceof FleetFileError) return error.message.split('\n');
    throw error;
  }
  return [];
}

const warningsOf = (peers: string) =>
  readFleet(peerFile(peers), 'fleet.yaml').warnings.map(({ path, problem }) => `${path}: ${problem}`);

it.each([
  [
    '{ check: kernl, same: role }',
    /peers\.rules\[0\]\.check: there is no check "kernl"\. Did you mean "kernel"/,
  ],
  [
    '{ check: kernel, same: sites }',
    /rules\[0\]\.same: no machine has the label "sites"\. Did you mean "site"/,
  ],
  ['{ check: kernel }', /rules\[0\]: does not say which machines are asked\. Write "same: role"/],
  ['{ check: kernel, among: web-1 }', /rules\[0\]\.among: names the machine "web-1"/],
  ['{ check: kernel, same: role, machines: "stie=x" }', /rules\[0\]\.machines: names the label "stie"/],
  ['{ check: kernel, among: "web 01" }', /rules\[0\]\.among: "web 01" is not a selector/],
])('a rule that cannot be meant is refused: %s', (rule, problem) => {
  expect(problemsOf(`{ rules: [${rule}] }`)).toEqual([expect.stringMatching(problem)]);
});

it('agents cannot be given a label that no machine has', () => {
  expect(problemsOf('{ agentsMayAskSame: rack }')).toEqual([
    expect.stringMatching(/agentsMayAskSame: no machine/),
  ]);
});

it.each([[[]], [['name: a, labels: [site]', 'name: b']]])(
  'where labels cannot be read, as of %j, none is said to be missing',
  (machines) => {
    const problems = problemsOf('{ rules: [{ check: kernel, same: site }] }', machines);
    expect(problems.join()).not.toBe('');
    expect(problems.join()).not.toContain('has the label');
  },
);

it.each([
  ['{ check: certs, same: role }', 'no machine has the check certs'],
  [
    '{ check: kernel, same: role, machines: old-01 }',
    'no machine that "old-01" matches has the check kernel',
  ],
  [
    '{ check: kernel, same: role, machines: db-01 }',
    'no other machine has the check kernel and the same role',
  ],
  [
    '{ check: kernel, same: site, among: web-03 }',
    'no other machine that "web-03" matches has the check kernel and the same site',
  ],
  [
    '{ check: kernel, among: db-01, machines: db-01 }',
    'no other machine that "db-01" matches has the check kernel',
  ],
])('a rule by which nobody would ever be asked is told: %s', (rule, why) => {
  expect(warningsOf(`{ rules: [${rule}] }`)).toEqual([`peers.rules[0]: nobody is ever asked: ${why}`]);
});

it('a rule that asks somebody is not', () => {
  const rules = [
    '{ check: kernel, same: role }',
    '{ check: disk, among: old-01 }',
    '{ check: kernel, same: site }',
  ];
  expect(warningsOf(`{ rules: [${rules}], agentsMayAskSame: site }`)).toEqual([]);
});
