import { expect, test } from 'vitest';
import type { Vote } from '../../src/fleet/approval.ts';
import { castVote, howItStands } from '../../src/fleet/cast-vote.ts';
import { escalationFor } from '../../src/fleet/escalation-for.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Settled } from '../../src/fleet/settle.ts';
import { cancelWaiting } from '../../src/fleet/withdraw.ts';
import {
  askedAt,
  asking,
  awaiting,
  checked,
  click,
  fleetToDecide,
  fullVar,
  machineOf,
  minute,
} from './approval-fixtures.ts';

const fleet = fleetToDecide('approvals: { onCall: [S0CALL] }\n');
const machine = machineOf(fleet);
const now = askedAt + minute;
const reversible = awaiting(fleet, 'vacuum-journal');
const destructive = awaiting(fleet, 'empty-cache');
const escalation = asking(
  checked([fullVar]),
  escalationFor(fleet, machine, checked([fullVar]), askedAt) ?? expect.fail('nothing to escalate'),
);

const cast = (run: Run, vote: Vote, at = now) => castVote(run, vote, fleet, machine, at);

function counted(run: Run, vote: Vote, at = now): Settled {
  const outcome = cast(run, vote, at);
  return 'refused' in outcome ? expect.fail(outcome.refused) : outcome;
}

test('the approval that completes the quorum sends the run to its machine', () => {
  const { run, entries } = counted(reversible, click(reversible, 'approve', 'U0BOB', ['S0OPS']));
  expect(run).toMatchObject({ state: 'approved', approval: { state: 'approved', settledAt: now } });
  expect(run.timeline.at(-1)).toEqual({ state: 'approved', at: now });
  expect(run.verdict).toBeUndefined();
  expect(entries).toEqual([
    {
      kind: 'approval.decided',
      at: now,
      by: { kind: 'person', userId: 'U0BOB', teamId: 'T0TEAM' },
      approval: 'a-000000000abc',
      machine: 'rhel-01',
      decision: 'approve',
      groups: ['S0OPS'],
      run: reversible.id,
      trace: reversible.trace.traceId,
    },
    { kind: 'approval.settled', at: now, approval: 'a-000000000abc', machine: 'rhel-01', state: 'approved' },
  ]);
});

test('an approval before that is kept, and the run goes on waiting', () => {
  const { run, entries } = counted(destructive, click(destructive, 'approve', 'U0BOB', ['S0OPS']));
  expect(run).toMatchObject({ state: 'awaiting', approval: { state: 'waiting', votes: [{}] } });
  expect(entries.map(({ kind }) => kind)).toEqual(['approval.decided']);
  const done = counted(run, click(run, 'approve', 'U0DAN', ['S0DBA']));
  expect(done.run.state).toBe('approved');
});

test('a denial ends it, with its reason in the ledger', () => {
  const vote = click(reversible, 'deny', 'U0BOB', ['S0OPS'], { reason: 'Not on a Friday.' });
  const { run, entries } = counted(reversible, vote);
  expect(run).toMatchObject({ state: 'done', verdict: 'cancelled', approval: { state: 'denied' } });
  expect(entries).toMatchObject([
    { kind: 'approval.decided', decision: 'deny', reason: 'Not on a Friday.' },
    { kind: 'approval.settled', state: 'denied' },
  ]);
});

test('whoever asked may withdraw, and nobody else without the right may decide', () => {
  expect(counted(reversible, click(reversible, 'deny', 'U0ANN')).run.approval?.state).toBe('denied');
  expect(cast(reversible, click(reversible, 'deny', 'U0NEW'))).toEqual({
    refused: expect.stringContaining('You may not deny this on rhel-01: no row'),
  });
  expect(cast(reversible, click(reversible, 'approve', 'U0ANN', ['S0OPS']))).toEqual({
    refused: expect.stringContaining('nobody approves their own'),
  });
});

test('an escalation that is approved or denied ends the check, whose verdict stands', () => {
  for (const [kind, state] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    const { run } = counted(escalation, click(escalation, kind, 'U0BOB', ['S0OPS']));
    expect(run).toMatchObject({ state: 'done', verdict: 'critical', approval: { state } });
  }
});

test('the same event again changes nothing and tells the ledger nothing, open or settled', () => {
  const first = click(destructive, 'approve', 'U0BOB', ['S0OPS']);
  const open = counted(destructive, first).run;
  expect(cast(open, first)).toEqual({ run: open, entries: [] });
  const second = click(open, 'approve', 'U0DAN', ['S0DBA']);
  const settled = counted(open, second).run;
  expect(cast(settled, second)).toEqual({ run: settled, entries: [] });
  expect(cast(settled, first)).toEqual({ run: settled, entries: [] });
});

test('a second click of the same person is refused and says what is missing', () => {
  const open = counted(destructive, click(destructive, 'approve', 'U0BOB', ['S0OPS'])).run;
  expect(cast(open, click(open, 'approve', 'U0BOB', ['S0OPS'], { eventId: 'again' }))).toEqual({
    refused:
      'You approved it at 2026-11-22 10:02:00 UTC already. One more person must approve, each for another user group.',
  });
});

test('whoever approved and thinks better of it may deny while it is open', () => {
  const open = counted(destructive, click(destructive, 'approve', 'U0BOB', ['S0OPS'])).run;
  const { run } = counted(open, click(open, 'deny', 'U0BOB', ['S0OPS']));
  expect(run.approval).toMatchObject({ state: 'denied', votes: [{ decision: { kind: 'deny' } }] });
});

test('an approval that was lost with the right may be given again', () => {
  const open = counted(destructive, click(destructive, 'approve', 'U0BOB', ['S0GONE', 'S0OPS'])).run;
  const changed = fleetToDecide(
    '',
    'access:\n  - { groups: [S0NEW], machines: all, verbs: all, upTo: destructive }\n',
  );
  const vote = click(open, 'approve', 'U0BOB', ['S0NEW'], { eventId: 'again' });
  const outcome = castVote(open, vote, changed, machine, now);
  expect(outcome).toMatchObject({ run: { state: 'awaiting', approval: { votes: [vote] } } });
});

test('where the fleet file got stricter and laxer again, a second click counts what is enough by now', () => {
  const stricter = fleetToDecide('approvals: { quorum: { reversible: 2 } }\n');
  const first = castVote(
    reversible,
    click(reversible, 'approve', 'U0BOB', ['S0OPS']),
    stricter,
    machine,
    now,
  );
  if ('refused' in first) throw new Error(first.refused);
  expect(first.run.state).toBe('awaiting');
  const again = click(first.run, 'approve', 'U0BOB', ['S0OPS'], { eventId: 'again' });
  expect(counted(first.run, again).run).toMatchObject({ state: 'approved', approval: { votes: [again] } });
});

test('late clickers learn who decided what and when', () => {
  const late = (run: Run) => cast(run, click(run, 'approve', 'U0LATE', ['S0OPS']));
  const approved = counted(reversible, click(reversible, 'approve', 'U0BOB', ['S0OPS'])).run;
  expect(late(approved)).toEqual({
    refused: 'Decided already: U0BOB approved it at 2026-11-22 10:02:00 UTC.',
  });
  const denied = counted(reversible, click(reversible, 'deny', 'U0BOB', ['S0OPS'], { reason: 'No.' })).run;
  expect(late(denied)).toEqual({
    refused: 'Decided already: U0BOB denied it at 2026-11-22 10:02:00 UTC. Reason: No.',
  });
  const cancelled = cancelWaiting(reversible, { userId: 'U0BOB', at: now }, now)?.run;
  expect(late(cancelled ?? expect.fail())).toEqual({
    refused: 'It was cancelled by U0BOB at 2026-11-22 10:02:00 UTC.',
  });
  expect(howItStands(reversible)).toBe('It waits for people to decide.');
  const { approval: _none, ...asksNothing } = reversible;
  expect(cast(asksNothing, click(reversible, 'approve', 'U0BOB', ['S0OPS']))).toEqual({
    refused: 'Run r-000000000abc asks nothing.',
  });
});

test('after its end nothing is approved or denied, even before the timer has looked', () => {
  for (const kind of ['approve', 'deny'] as const) {
    const vote = click(reversible, kind, 'U0BOB', ['S0OPS']);
    expect(cast(reversible, vote, askedAt + 30 * minute)).toEqual({
      refused: 'It expired at 2026-11-22 10:31:00 UTC without a decision. Ask for it again.',
    });
  }
});

test('a click on a card that shows another question is refused', () => {
  const vote = click(reversible, 'approve', 'U0BOB', ['S0OPS'], { question: 'f'.repeat(64) });
  expect(cast(reversible, vote)).toEqual({ refused: expect.stringContaining('another question') });
});
