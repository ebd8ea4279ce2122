import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Question, questionDigest, type Vote } from '../../src/fleet/approval.ts';
import { castVote } from '../../src/fleet/cast-vote.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import { nextMoment, passTime } from '../../src/fleet/pass-time.ts';
import { type Run, runSchema } from '../../src/fleet/run.ts';
import { tally } from '../../src/fleet/tally.ts';
import { cancelWaiting } from '../../src/fleet/withdraw.ts';
import { askedAt, awaiting, fleetToDecide, machineOf, questionOf } from './approval-fixtures.ts';
import {
  allGroups,
  demands,
  everybody,
  mostApprovals,
  mustDeny,
  type Policy,
  policies,
  withPolicy,
} from './random-policies.ts';

const base = fleetToDecide();
const machine = machineOf(base);

/** One of each risk. */
const actions = fc.constantFrom(
  { action: 'vacuum-journal', params: {} },
  { action: 'restart-service', params: { unit: 'nginx.service' } },
  { action: 'empty-cache', params: {} },
);

/** A click, as the bot would sign it: now and then on a card that shows something else, or by a clock that is wrong. */
const clicks = fc.record({
  userId: fc.constantFrom(...everybody),
  groups: fc.subarray(allGroups),
  kind: fc.constantFrom('approve', 'approve', 'approve', 'approve', 'deny'),
  wrong: fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constantFrom('question', 'approval', 'too-early', 'too-late') },
  ),
} as const);
type Click = typeof clicks extends fc.Arbitrary<infer C> ? C : never;

/** Some minutes, or hours in which nobody looks; now and then on a bot whose clock is behind. */
const minutesPassed = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 20, max: 200 }),
  fc.integer({ min: -9, max: -1 }),
);

const steps = fc.oneof(
  { weight: 6, arbitrary: clicks.map((click) => ({ do: 'click', click }) as const) },
  // Delivers a click once more, or for the first time, whenever: late, twice, in another order.
  { weight: 4, arbitrary: fc.nat(5).map((which) => ({ do: 'deliver', which }) as const) },
  {
    weight: 2,
    arbitrary: minutesPassed.map((minutes) => ({ do: 'wait', minutes }) as const),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'look' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' } as const) },
  { weight: 1, arbitrary: policies.map((policy) => ({ do: 'change-policy', policy }) as const) },
  { weight: 1, arbitrary: fc.nat(9).map((digit) => ({ do: digit === 0 ? 'cancel' : 'look' }) as const) },
);
type Step = typeof steps extends fc.Arbitrary<infer S> ? S : never;

function voteOn(
  question: Question,
  { userId, groups, kind, wrong }: Click,
  now: number,
  eventId: string,
): Vote {
  const at = { 'too-early': question.askedAt - 1, 'too-late': endOf(question) };
  const decision = {
    approval: wrong === 'approval' ? 'a-000000000xyz' : question.id,
    question: wrong === 'question' ? 'f'.repeat(64) : questionDigest(question),
    by: { kind: 'person', userId, teamId: 'T0TEAM' },
    at: wrong === 'too-early' || wrong === 'too-late' ? at[wrong] : now,
    ...{ kind, groups, eventId },
  } as const;
  return { decision, signature: 'signed by the bot' };
}

function endOf({ rounds }: Question): number {
  return Math.max(...rounds.map(({ endsAt }) => endsAt));
}

/** Lives one approval, and holds every step against what the policy demands. */
class Life {
  #policy: Policy;
  #run: Run;
  #now = askedAt;
  readonly #mail: Vote[] = [];
  readonly #ledger: LedgerEntry[] = [];
  readonly #question: Question;

  constructor(policy: Policy, action: string, params: Record<string, string>) {
    this.#policy = policy;
    this.#run = awaiting(withPolicy(base, policy), action, params);
    this.#question = questionOf(this.#run);
  }

  get state() {
    return this.#run.approval?.state;
  }

  step(step: Step): void {
    switch (step.do) {
      case 'click':
        this.#mail.push(voteOn(this.#question, step.click, this.#now, `event ${this.#mail.length}`));
        // Most clicks arrive at once; the others when they are delivered, if ever.
        if (this.#mail.length % 3 !== 0) this.#deliver(this.#mail.length - 1);
        return;
      case 'deliver':
        this.#deliver(this.#mail.length - 1 - step.which);
        return;
      case 'wait':
        this.#now += step.minutes * 60_000;
        return;
      case 'look':
        this.#look();
        return;
      case 'restart':
        this.#run = runSchema.parse(JSON.parse(JSON.stringify(this.#run)));
        return;
      case 'change-policy':
        this.#policy = step.policy;
        return;
      case 'cancel':
        this.#take(cancelWaiting(this.#run, { userId: 'U9', at: this.#now }, this.#now));
        return;
    }
  }

  /** What must be true of the whole of it. */
  check(): void {
    const settled = this.#ledger.filter(({ kind }) => kind === 'approval.settled');
    expect(settled.map((entry) => ('state' in entry ? entry.state : ''))).toEqual(
      this.state === 'waiting' ? [] : [this.state],
    );
    expect(this.#run.timeline.filter(({ state }) => state === 'approved').length).toBe(
      this.state === 'approved' ? 1 : 0,
    );
    expect(this.#question).toEqual(questionOf(this.#run));
    const people = this.#run.approval?.votes.map(({ decision }) => decision.by.userId) ?? [];
    expect(new Set(people).size).toBe(people.length);
  }

  #deliver(which: number): void {
    const vote = this.#mail[which];
    if (vote === undefined) return;
    const [before, policy, question] = [this.#run, this.#policy, this.#question];
    const votes = before.approval?.votes ?? [];
    const outcome = castVote(before, vote, withPolicy(base, policy), machine, this.#now);
    const open = before.state === 'awaiting' && this.#now < endOf(this.#question);
    const repeated = votes.some(({ decision }) => decision.eventId === vote.decision.eventId);

    if (!open || repeated) {
      expect(outcome).toEqual(
        repeated ? { run: before, entries: [] } : { refused: expect.stringMatching(/\.$/) },
      );
      return;
    }
    const others = votes.filter(({ decision }) => decision.by.userId !== vote.decision.by.userId);
    const most = mostApprovals(policy, question, [...others, vote]);
    if ('refused' in outcome) {
      expect(outcome.refused).toMatch(/\.$/);
      expect(mustDeny(policy, question, vote)).toBe(false);
      // What is refused would have brought it no nearer.
      expect(most).toBeLessThanOrEqual(mostApprovals(policy, question, votes));
      return;
    }
    this.#take(outcome);
    const denies = mustDeny(policy, question, vote);
    // What is counted brings it nearer.
    expect(denies || most > mostApprovals(policy, question, others)).toBe(true);
    const enough = most >= demands(policy, question).people;
    expect(this.state).toBe(denies ? 'denied' : enough ? 'approved' : 'waiting');
    expect(this.#run.state).toBe(denies ? 'done' : enough ? 'approved' : 'awaiting');
    expect(outcome.entries.map(({ kind }) => kind)).toEqual(
      denies || enough ? ['approval.decided', 'approval.settled'] : ['approval.decided'],
    );
  }

  #look(): void {
    const { approval, state } = this.#run;
    const due = state === 'awaiting' && approval !== undefined && this.#now >= nextMoment(approval);
    const passed = passTime(this.#run, this.#now);
    expect(passed !== undefined).toBe(due);
    this.#take(passed);
    expect(passTime(this.#run, this.#now)).toBeUndefined();
    if (state === 'awaiting')
      expect(this.state).toBe(this.#now >= endOf(this.#question) ? 'expired' : 'waiting');
  }

  #take(next: { readonly run: Run; readonly entries: readonly LedgerEntry[] } | undefined): void {
    if (next === undefined) return;
    // What is settled stays as it is, whatever comes.
    if (this.state !== 'waiting') expect(next).toEqual({ run: this.#run, entries: [] });
    this.#run = next.run;
    this.#ledger.push(...next.entries);
  }
}

test('no sequence of clicks, replays, time, restarts and changed policies grants what the policy forbids', () => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(
      policies,
      actions,
      fc.array(steps, { maxLength: 40, size: 'max' }),
      (policy, { action, params }, all) => {
        const life = new Life(policy, action, { ...params });
        for (const step of all) life.step(step);
        life.check();
        const end = life.state ?? '';
        ends.set(end, (ends.get(end) ?? 0) + 1);
      },
    ),
    { numRuns: 1_000 },
  );
  // Otherwise it would have proved nothing.
  expect([...ends.keys()].toSorted()).toEqual(['approved', 'cancelled', 'denied', 'expired', 'waiting']);
});

test('votes add up to what the policy says, whatever their order and however often they are there', () => {
  const people = fc.uniqueArray(clicks, { selector: ({ userId }) => userId });
  const more = fc.array(clicks, { maxLength: 3 });
  fc.assert(
    fc.property(policies, policies, actions, people, more, (asked, counted, wish, all, again) => {
      const question = questionOf(awaiting(withPolicy(base, asked), wish.action, { ...wish.params }));
      const fleet = withPolicy(base, counted);
      const votes = all.map((click, index) => voteOn(question, click, askedAt, `first ${index}`));
      const denied = votes.some((vote) => mustDeny(counted, question, vote));
      const most = mostApprovals(counted, question, votes);
      const needed = demands(counted, question).people;

      const { state, approvers } = tally(fleet, machine, question, votes);
      expect(state).toBe(denied ? 'denied' : most >= needed ? 'approved' : 'open');
      expect(approvers).toHaveLength(most);
      expect(tally(fleet, machine, question, votes.toReversed()).state).toBe(state);
      expect(tally(fleet, machine, question, [...votes, ...votes]).state).toBe(state);

      const further = again.map((click, index) => voteOn(question, click, askedAt, `again ${index}`));
      if (tally(fleet, machine, question, [...further, ...votes]).state !== 'approved') return;
      expect(mostApprovals(counted, question, [...further, ...votes])).toBeGreaterThanOrEqual(needed);
    }),
    { numRuns: 1_000 },
  );
});
