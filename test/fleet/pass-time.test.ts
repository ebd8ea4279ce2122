import { expect, test } from 'vitest';
import { nextMoment, passTime } from '../../src/fleet/pass-time.ts';
import { proposeByRule } from '../../src/fleet/propose-by-rule.ts';
import type { Run } from '../../src/fleet/run.ts';
import { cancelWaiting } from '../../src/fleet/withdraw.ts';
import {
  askedAt,
  asking,
  awaiting,
  checked,
  fleetToDecide,
  fullVar,
  machineOf,
  minute,
} from './approval-fixtures.ts';

const fleet = fleetToDecide(`approvals: { expireMinutes: 20, remindMinutes: 5, passOn: [S0NEXT, U0LAST] }
suggestions: [{ check: disk, action: empty-cache }]
`);
const run = awaiting(fleet, 'vacuum-journal');

const after = (minutes: number, of: Run = run) => passTime(of, askedAt + minutes * minute);
const due = (of: Run) => ((of.approval ? nextMoment(of.approval) : 0) - askedAt) / minute;

/** The run after each moment at which something was due, and the ledger's entries of that. */
function wholeLife() {
  const steps: { at: number; round: number; reminded: boolean; state: string; ledger: string[] }[] = [];
  for (let now: Run = run; now.state === 'awaiting'; ) {
    const at = due(now);
    expect(after(at - 1 / 60_000, now)).toBeUndefined();
    const passed = after(at, now);
    if (passed === undefined) throw new Error(`nothing happened after ${at} min`);
    now = passed.run;
    const { round = -1, reminded = false, state = '' } = now.approval ?? {};
    steps.push({ at, round, reminded, state, ledger: passed.entries.map(({ kind }) => kind) });
  }
  return steps;
}

test('each round is reminded once and then passed on; after the last one it expires', () => {
  expect(wholeLife()).toEqual([
    { at: 15, round: 0, reminded: true, state: 'waiting', ledger: [] },
    { at: 20, round: 1, reminded: false, state: 'waiting', ledger: ['approval.passed-on'] },
    { at: 35, round: 1, reminded: true, state: 'waiting', ledger: [] },
    { at: 40, round: 2, reminded: false, state: 'waiting', ledger: ['approval.passed-on'] },
    { at: 55, round: 2, reminded: true, state: 'waiting', ledger: [] },
    { at: 60, round: 2, reminded: true, state: 'expired', ledger: ['approval.settled'] },
  ]);
});

test('passing on names whom it is passed on to', () => {
  expect(after(21)?.entries).toEqual([
    {
      kind: 'approval.passed-on',
      at: askedAt + 21 * minute,
      approval: 'a-000000000abc',
      machine: 'rhel-01',
      to: ['S0NEXT'],
    },
  ]);
});

test('an action that expired is cancelled; a check keeps its verdict', () => {
  expect(after(60)?.run).toMatchObject({
    state: 'done',
    verdict: 'cancelled',
    approval: { state: 'expired' },
  });
  const check = checked([fullVar]);
  const question = proposeByRule(fleet, machineOf(fleet), check, askedAt);
  if (question === undefined) throw new Error('no rule fits');
  expect(after(60, asking(check, question))?.run).toMatchObject({ state: 'done', verdict: 'critical' });
});

test('after hours in which nobody looked it is at once where it should be', () => {
  expect(after(36)?.run.approval).toMatchObject({ round: 1, reminded: true });
  const late = after(41);
  expect(late?.run.approval).toMatchObject({ round: 2, reminded: false });
  expect(late?.entries).toMatchObject([{ kind: 'approval.passed-on', to: ['U0LAST'] }]);
  expect(after(600)?.entries).toMatchObject([{ kind: 'approval.settled', state: 'expired' }]);
});

test('the same moment again changes nothing', () => {
  for (const minutes of [15, 20, 36, 41]) {
    expect(after(minutes, after(minutes)?.run)).toBeUndefined();
  }
  expect(after(61, after(60)?.run)).toBeUndefined();
});

test('a clock that was set back takes nothing back', () => {
  const passedOn = after(21)?.run;
  expect(after(17, passedOn)).toBeUndefined();
});

test('cancelling ends it once, by the first wish', () => {
  const wish = { userId: 'U0BOB', at: askedAt + 1 };
  const cancelled = cancelWaiting(run, wish, askedAt + minute);
  expect(cancelled).toMatchObject({
    run: { state: 'done', verdict: 'cancelled', cancellation: wish, approval: { state: 'cancelled' } },
    entries: [{ kind: 'approval.settled', state: 'cancelled' }],
  });
  expect(cancelWaiting(cancelled?.run ?? run, { userId: 'U0EVE', at: 0 }, askedAt)).toBeUndefined();
  const before = { ...run, cancellation: { userId: 'U0FIRST', at: askedAt } };
  expect(cancelWaiting(before, wish, askedAt)?.run.cancellation?.userId).toBe('U0FIRST');
});
