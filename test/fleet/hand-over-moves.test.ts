import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Approval } from '../../src/fleet/approval.ts';
import { type HandOver, handOverSchema, pagerOf } from '../../src/fleet/hand-over.ts';
import {
  beginCall,
  dueCall,
  endCall,
  giveUp,
  type HandOverMove,
  takeHandOver,
} from '../../src/fleet/hand-over-moves.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import { settle } from '../../src/fleet/settle.ts';
import { escalatingRun, everyTarget, sampleHandOver } from '../support/sample-hand-over.ts';
import { askedAt, sampleApproval } from '../support/sample-question.ts';
import { sampleRun } from '../support/sample-run.ts';

const minute = 60_000;
const patienceMs = 10 * minute;
const eva = { kind: 'person', userId: 'U0EVA', teamId: 'T0TEAM' } as const;
const bea = { ...eva, userId: 'U0BEA' };
const runId = 'r-00000000aaaa';

function settled(state: 'approved' | 'denied' | 'expired' | 'cancelled', to?: readonly string[]) {
  const run = escalatingRun(runId, to);
  const approval: Approval = run.approval ?? sampleApproval(run);
  return settle(run, approval, state, askedAt).handOver;
}

/** @throws Error where nothing follows */
function made(move: HandOverMove | undefined): HandOver {
  if (move === undefined) throw new Error('nothing followed');
  return move.handOver;
}

describe('an escalation', () => {
  it.each(['approved', 'expired'] as const)('that is %s is handed over', (state) => {
    expect(settled(state)).toEqual({
      id: 'o-00000000aaaa',
      run: runId,
      machine: 'web-01',
      task: 'check disk',
      what: 'disk',
      origin: { channel: 'C0OPS', under: runId },
      why: '/var is 93% full',
      because: state,
      targets: everyTarget,
      openedAt: askedAt,
      state: 'calling',
      calls: [],
      nextAt: askedAt,
    });
  });

  it.each(['denied', 'cancelled'] as const)('that is %s is not', (state) => {
    expect(settled(state)).toBeUndefined();
  });

  it('of which nobody would be told is not', () => {
    expect(settled('approved', [])).toBeUndefined();
  });

  it('of a campaign is handed over in its thread', () => {
    const run = escalatingRun(runId);
    const approval = run.approval ?? sampleApproval(run);
    const inCampaign = { ...run, request: { ...run.request, campaign: 'c-1' } };
    const { handOver } = settle(inCampaign, approval, 'expired', askedAt);
    expect(handOver?.origin).toEqual({ channel: 'C0OPS', under: 'c-1' });
  });
});

it('a question for an action is never handed over', () => {
  const run = sampleRun(runId, 'awaiting');
  expect(settle(run, sampleApproval(run), 'expired', askedAt).handOver).toBeUndefined();
  expect(settle(run, sampleApproval(run), 'approved', askedAt).handOver).toBeUndefined();
});

describe('people on call', () => {
  const opened = sampleHandOver();
  const call = (of: HandOver, target: number, now: number, problem?: string) =>
    beginCall(of, target, now, { patienceMs, problem });
  const withEva = made(call(opened, 0, askedAt));

  it('are called at once, and the next one when their time is over', () => {
    expect(dueCall(opened, askedAt)).toBe(0);
    expect(withEva).toMatchObject({
      calls: [{ target: 0, at: askedAt }],
      nextAt: askedAt + patienceMs,
      state: 'calling',
    });
    expect(dueCall(withEva, askedAt + patienceMs - 1)).toBeUndefined();
    expect(dueCall(withEva, askedAt + patienceMs)).toBe(1);
  });

  it('are called once, whoever tries again', () => {
    expect(call(withEva, 0, askedAt + patienceMs)).toBeUndefined();
    expect(call(withEva, 1, askedAt)).toBeUndefined();
    expect(call(withEva, 2, askedAt + patienceMs)).toBeUndefined();
  });

  it('who cannot be called do not hold up the next', () => {
    const next = call(withEva, 1, askedAt + patienceMs, 'fleetbot is not in the channel.');
    expect(next?.entries).toEqual([
      expect.objectContaining({
        kind: 'hand-over.missed',
        target: 'C0CALL',
        problem: 'fleetbot is not in the channel.',
      }),
    ]);
    expect(dueCall(made(next), askedAt + patienceMs)).toBe(2);
  });

  it('take it: nobody else is called, and whoever comes later does not', () => {
    const taken = takeHandOver(withEva, bea, askedAt + minute);
    expect(taken?.handOver).toMatchObject({
      state: 'taken',
      takenBy: { by: bea, at: askedAt + minute },
    });
    expect(taken?.entries).toEqual([expect.objectContaining({ kind: 'hand-over.taken', by: bea })]);
    expect(dueCall(made(taken), Number.MAX_SAFE_INTEGER)).toBeUndefined();
    expect(call(made(taken), 1, askedAt + patienceMs)).toBeUndefined();
    expect(takeHandOver(made(taken), eva, askedAt + minute)).toBeUndefined();
  });
});

describe('a pager', () => {
  const opened = sampleHandOver({ targets: ['pager:primary', 'U0EVA'] });
  const begun = made(beginCall(opened, 0, askedAt, { patienceMs }));

  it('of which nobody knows whether it heard is due at once, and is not written down again', () => {
    expect(dueCall(begun, askedAt)).toBe(0);
    expect(beginCall(begun, 0, askedAt, { patienceMs })).toBeUndefined();
  });

  it('that took it ends the calls; a person may still say that they have it', () => {
    const ended = endCall(begun, 0, undefined, askedAt);
    expect(ended?.handOver).toMatchObject({ state: 'delivered', calls: [{ delivered: true }] });
    expect(ended?.entries).toEqual([
      expect.objectContaining({ kind: 'hand-over.ended', outcome: 'delivered' }),
    ]);
    expect(dueCall(made(ended), Number.MAX_SAFE_INTEGER)).toBeUndefined();
    expect(made(takeHandOver(made(ended), eva, askedAt)).state).toBe('taken');
  });

  it('that did not is followed by the next; what came of it is stored once', () => {
    const missed = made(endCall(begun, 0, 'It does not answer.', askedAt));
    expect(dueCall(missed, askedAt)).toBe(1);
    expect(endCall(missed, 0, undefined, askedAt)).toBeUndefined();
  });

  it('whose answer comes after somebody took it changes nothing about that', () => {
    const taken = made(takeHandOver(begun, eva, askedAt));
    const answered = endCall(taken, 0, undefined, askedAt);
    expect(answered?.handOver).toMatchObject({ state: 'taken', calls: [{ delivered: true }] });
    expect(answered?.entries).toEqual([]);
  });
});

it('a hand-over that nobody took ends as nobody’s only when everybody had their time', () => {
  const opened = sampleHandOver({ targets: ['U0EVA'] });
  expect(giveUp(opened, askedAt)).toBeUndefined();
  const called = made(beginCall(opened, 0, askedAt, { patienceMs }));
  expect(giveUp(called, askedAt + patienceMs - 1)).toBeUndefined();
  const over = giveUp(called, askedAt + patienceMs);
  expect(over?.entries).toEqual([expect.objectContaining({ kind: 'hand-over.ended', outcome: 'nobody' })]);
  expect(over?.handOver).not.toHaveProperty('nextAt');
  expect(made(takeHandOver(made(over), eva, askedAt)).state).toBe('taken');
});

const steps = fc.oneof(
  fc.record({ do: fc.constant('wait'), minutes: fc.integer({ min: 0, max: 15 }) }),
  fc.record({ do: fc.constant('begin'), target: fc.nat(4), problem: fc.option(fc.constant('Away.')) }),
  fc.record({ do: fc.constant('end'), target: fc.nat(4), problem: fc.option(fc.constant('Away.')) }),
  fc.record({ do: fc.constant('give up') }),
  fc.record({ do: fc.constant('take'), by: fc.constantFrom(eva, bea) }),
);

it('whatever is tried in whatever order, each target is called once and in turn, and one end is the end', () => {
  const targets = fc.uniqueArray(fc.constantFrom(...everyTarget, 'pager:other'), { minLength: 1 });
  fc.assert(
    fc.property(targets, fc.array(steps, { maxLength: 40 }), (to, tried) => {
      let now = askedAt;
      let handOver = sampleHandOver({ targets: to });
      const entries: LedgerEntry[] = [];
      for (const step of tried) {
        const before = handOver;
        const move = moveOf(step, handOver, now);
        if (step.do === 'wait') now += step.minutes * minute;
        if (move === undefined) continue;
        handOver = handOverSchema.parse(move.handOver);
        entries.push(...move.entries);
        expect(handOver.calls.map(({ target }) => target)).toEqual(handOver.calls.keys().toArray());
        expect(handOver.nextAt !== undefined).toBe(handOver.state === 'calling');
        // Who has time to take it is not passed over.
        if (before.state === 'calling' && handOver.calls.length > before.calls.length) {
          const last = before.calls.at(-1);
          const hadTime = last === undefined || last.problem !== undefined || now - last.at >= patienceMs;
          expect(hadTime).toBe(true);
        }
        if (before.takenBy !== undefined) expect(handOver.takenBy).toEqual(before.takenBy);
      }
      const count = (kind: LedgerEntry['kind']) => entries.filter((entry) => entry.kind === kind).length;
      expect(count('hand-over.taken')).toBe(handOver.takenBy === undefined ? 0 : 1);
      expect(count('hand-over.ended')).toBeLessThanOrEqual(1);
      const reached = handOver.calls.filter(({ problem }) => problem === undefined);
      const pagersMissed = handOver.calls.filter(
        ({ target, problem }) =>
          problem !== undefined && pagerOf(handOver.targets[target] ?? '') !== undefined,
      );
      expect(count('hand-over.called')).toBeGreaterThanOrEqual(reached.length);
      expect(count('hand-over.called')).toBeLessThanOrEqual(reached.length + pagersMissed.length);
    }),
  );
});

type Step = typeof steps extends fc.Arbitrary<infer S> ? S : never;

function moveOf(step: Step, handOver: HandOver, now: number): HandOverMove | undefined {
  switch (step.do) {
    case 'begin':
      return beginCall(handOver, step.target, now, { patienceMs, problem: step.problem ?? undefined });
    case 'end':
      return endCall(handOver, step.target, step.problem ?? undefined, now);
    case 'give up':
      return giveUp(handOver, now);
    case 'take':
      return takeHandOver(handOver, step.by, now);
    default:
      return undefined;
  }
}
