import { expect, test } from 'vitest';
import type { Asker } from '../../src/fleet/access.ts';
import type { Vote } from '../../src/fleet/approval.ts';
import { mayDecide } from '../../src/fleet/may-decide.ts';
import { quorumOf } from '../../src/fleet/quorum.ts';
import type { Run } from '../../src/fleet/run.ts';
import { tally } from '../../src/fleet/tally.ts';
import {
  askedAt,
  awaiting,
  click,
  fleetToDecide,
  machineOf,
  minute,
  questionOf,
} from './approval-fixtures.ts';

const fleet = fleetToDecide();
const machine = machineOf(fleet);
const reversible = awaiting(fleet, 'vacuum-journal');
const destructive = awaiting(fleet, 'empty-cache');

function count(run: Run, votes: readonly Vote[], by = fleet) {
  const { state, approvers, open, ignored } = tally(by, machine, questionOf(run), votes);
  return { state, approvers: approvers.map(({ userId }) => userId), open, ignored };
}

test('one person is enough where the fleet file wants one', () => {
  expect(count(reversible, [])).toMatchObject({ state: 'open', open: 'One person must approve.' });
  expect(count(reversible, [click(reversible, 'approve', 'U0BOB', ['S0OPS'])])).toEqual({
    state: 'approved',
    approvers: ['U0BOB'],
    open: '',
    ignored: [],
  });
});

test('something destructive needs two people of different user groups', () => {
  const bob = click(destructive, 'approve', 'U0BOB', ['S0OPS']);
  const eve = click(destructive, 'approve', 'U0EVE', ['S0OPS']);
  const dan = click(destructive, 'approve', 'U0DAN', ['S0DBA']);
  expect(count(destructive, [])).toMatchObject({
    open: '2 people must approve, each for another user group.',
  });
  expect(count(destructive, [bob, eve])).toMatchObject({
    state: 'open',
    approvers: ['U0BOB'],
    open: 'One more person must approve, each for another user group.',
    ignored: [{ vote: eve, reason: expect.stringContaining('S0OPS') }],
  });
  expect(count(destructive, [bob, eve, dan])).toMatchObject({
    state: 'approved',
    approvers: ['U0BOB', 'U0DAN'],
  });
});

test('whoever is in several groups counts for the one that is still wanted, whatever the order', () => {
  const both = click(destructive, 'approve', 'U0BOTH', ['S0OPS', 'S0DBA']);
  const one = click(destructive, 'approve', 'U0BOB', ['S0OPS']);
  expect(count(destructive, [both, one]).state).toBe('approved');
  expect(count(destructive, [one, both]).state).toBe('approved');
});

test('a group that may not approve this is no group of its own', () => {
  const votes = [
    click(destructive, 'approve', 'U0BOB', ['S0OPS']),
    click(destructive, 'approve', 'U0WEB', ['S0OPS', 'S0WEB']),
    click(destructive, 'approve', 'U0BOSS', ['S0WEB']),
  ];
  expect(count(destructive, votes)).toMatchObject({ state: 'open', approvers: ['U0BOB'] });
});

test('a person counts once, however often they are there', () => {
  const bob = click(destructive, 'approve', 'U0BOB', ['S0OPS', 'S0DBA']);
  const again = click(destructive, 'approve', 'U0BOB', ['S0DBA'], { eventId: 'another' });
  expect(count(destructive, [bob, again])).toMatchObject({
    state: 'open',
    ignored: [{ vote: again, reason: 'You approved it already.' }],
  });
});

test('one denial denies, whatever else is there', () => {
  const votes = [
    click(destructive, 'approve', 'U0BOB', ['S0OPS']),
    click(destructive, 'approve', 'U0DAN', ['S0DBA']),
    click(destructive, 'deny', 'U0BOSS'),
  ];
  expect(count(destructive, votes).state).toBe('denied');
  expect(count(reversible, [click(reversible, 'deny', 'U0ANN')]).state).toBe('denied');
  expect(count(reversible, [click(reversible, 'deny', 'U0STRANGER')]).state).toBe('open');
});

test('nobody approves their own, whatever the table gives them', () => {
  const own = click(reversible, 'approve', 'U0ANN', ['S0OPS']);
  expect(count(reversible, [own])).toMatchObject({
    state: 'open',
    ignored: [{ reason: expect.stringContaining('nobody approves their own') }],
  });
});

test('a row counts up to its risk', () => {
  const web = click(destructive, 'approve', 'U0WEB', ['S0WEB']);
  expect(count(destructive, [web])).toMatchObject({
    approvers: [],
    ignored: [{ reason: expect.stringContaining('destructive') }],
  });
  expect(count(reversible, [click(reversible, 'approve', 'U0WEB', ['S0WEB'])]).state).toBe('approved');
});

test.each([
  ['for another question', { question: 'f'.repeat(64) }],
  ['for another approval', { approval: 'a-000000000000' }],
  ['before it was asked', { at: askedAt - 1 }],
  ['after it expired', { at: askedAt + 30 * minute }],
])('a vote %s does not count', (_when, changes) => {
  const vote = click(reversible, 'approve', 'U0BOB', ['S0OPS'], changes);
  expect(count(reversible, [vote])).toMatchObject({ state: 'open', ignored: [{ vote }] });
  const denial = click(reversible, 'deny', 'U0BOB', ['S0OPS'], changes);
  expect(count(reversible, [denial]).state).toBe('open');
});

test('a right that the fleet file takes away is gone from the votes too', () => {
  const votes = [click(reversible, 'approve', 'U0BOB', ['S0OPS'])];
  const revoked = fleetToDecide('', 'access:\n  - { groups: [S0DBA], machines: all, verbs: all }\n');
  expect(count(reversible, votes, revoked)).toMatchObject({ state: 'open', approvers: [] });
});

test('a stricter fleet file counts for what was asked before it', () => {
  const votes = [click(reversible, 'approve', 'U0BOB', ['S0OPS'])];
  const stricter = fleetToDecide('approvals: { quorum: { reversible: 2 }, differentGroups: [] }\n');
  expect(count(reversible, votes, stricter)).toMatchObject({
    state: 'open',
    open: 'One more person must approve.',
  });
  const laxer = fleetToDecide('approvals: { quorum: { destructive: 1 } }\n');
  expect(count(destructive, [click(destructive, 'approve', 'U0BOB', ['S0OPS'])], laxer).state).toBe('open');
});

test('different groups are not asked for where one person is enough', () => {
  const rules = fleetToDecide('approvals: { differentGroups: [reversible, destructive] }\n');
  expect(quorumOf(rules, 'reversible')).toEqual({ approvals: 1, differentGroups: false });
  expect(quorumOf(rules, 'destructive')).toEqual({ approvals: 2, differentGroups: true });
  expect(count(reversible, [click(reversible, 'approve', 'U0BOSS')], rules).state).toBe('approved');
});

test('people learn why they may or may not decide', () => {
  const boss = { userId: 'U0BOSS', excluded: false, groupIds: [] };
  const ann = { userId: 'U0ANN', excluded: false, groupIds: ['S0OPS'] };
  const may = (run: Run, person: Asker, kind?: 'approve' | 'deny') =>
    mayDecide(fleet, machine, questionOf(run), person, kind);
  expect(may(reversible, boss)).toMatchObject({ allowed: true, groups: [] });
  expect(may(destructive, boss)).toMatchObject({
    allowed: false,
    reason: expect.stringContaining('different user groups'),
  });
  expect(may(destructive, boss, 'deny').allowed).toBe(true);
  expect(may(reversible, ann)).toMatchObject({ allowed: false, groups: [] });
  expect(may(reversible, ann, 'deny')).toMatchObject({
    allowed: true,
    reason: expect.stringContaining('withdraw'),
  });
  expect(may(reversible, { ...ann, excluded: true }, 'deny').allowed).toBe(false);
  expect(may(reversible, { ...boss, excluded: true }).allowed).toBe(false);
});
