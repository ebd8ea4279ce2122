import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Approvals } from '../../src/bot/ports.ts';
import type { Run } from '../../src/fleet/run.ts';
import { type Settled, settle } from '../../src/fleet/settle.ts';

/** An adapter of Approvals, and what other rooms do to it. */
export interface ApprovalsUnderTest {
  readonly approvals: Approvals;
  /** The same questions as another process sees them. */
  another(): Promise<Approvals>;
  /** A machine that nobody else uses gets a run that asks people, whose first round ends at this time. */
  ask(endsAt: number): Promise<Run>;
  close(): Promise<void>;
}

const clicks = 50;
const processes = 5;

/** What every adapter of the port Approvals promises. */
export function approvalsSuite(name: string, make: () => Promise<ApprovalsUnderTest>): void {
  describe(`approvals: ${name}`, () => {
    let under: ApprovalsUnderTest;
    let approvals: Approvals;
    beforeAll(async () => {
      under = await make();
      approvals = under.approvals;
    });
    afterAll(async () => {
      await under?.close();
    });
    const soon = (): number => Date.now() + 3_600_000;

    it.each([
      ['approved', 'approved'],
      ['denied', 'done'],
      ['expired', 'done'],
    ] as const)('stores that a question is %s: the run is %s', async (outcome, state) => {
      const run = await under.ask(soon());
      let mine: Run | undefined;
      const stored = await approvals.change(run.id, (waiting) => {
        expect(waiting).toEqual(run);
        const settlement = settledAs(waiting, outcome);
        mine = settlement.run;
        return settlement;
      });
      expect(stored).toBe(mine);
      expect(stored).toMatchObject({ state, approval: { state: outcome } });
    });

    it('leaves a run alone where nothing follows, and one that awaits nobody any more', async () => {
      const run = await under.ask(soon());
      expect(await approvals.change(run.id, () => undefined)).toEqual(run);
      const denied = await approvals.change(run.id, (waiting) => settledAs(waiting, 'denied'));
      const late = await approvals.change(run.id, () => {
        throw new Error('nobody is asked any more');
      });
      expect(late).toEqual(denied);
    });

    it('knows nothing of a run that it does not have', async () => {
      expect(await approvals.change('r-000000000000', () => undefined)).toBeUndefined();
    });

    it('lets what a change throws through, and stores nothing', async () => {
      const run = await under.ask(soon());
      const change = approvals.change(run.id, () => {
        throw new RangeError('no such person');
      });
      await expect(change).rejects.toThrow(RangeError);
      expect(await approvals.change(run.id, () => undefined)).toEqual(run);
    });

    it('counts every vote of many that come at once', async () => {
      const run = await under.ask(soon());
      const others = [approvals, await under.another(), await under.another()];
      await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          others[n % others.length]?.change(run.id, (waiting) => withVote(waiting, `U${n}`)),
        ),
      );
      const after = await approvals.change(run.id, () => undefined);
      const voters = after?.approval?.votes.map(({ decision }) => decision.by.userId);
      expect(voters?.toSorted()).toEqual(Array.from({ length: 12 }, (_, n) => `U${n}`).toSorted());
    });

    it('is decided once, however many click at once in whichever process, and all see the same', async () => {
      const run = await under.ask(soon());
      const all = [approvals];
      while (all.length < processes) all.push(await under.another());
      const decisions: Run[] = [];
      const seen = await Promise.all(
        Array.from({ length: clicks }, async (_, n) => {
          const settlement = (waiting: Run) => settledAs(waiting, n % 2 === 0 ? 'approved' : 'denied', n);
          const stored = await all[n % processes]?.change(run.id, (waiting) => {
            const mine = settlement(waiting);
            decisions.push(mine.run);
            return mine;
          });
          return stored;
        }),
      );
      expect(decisions.length).toBeGreaterThan(1);
      expect(seen.filter((each) => each !== undefined && decisions.includes(each))).toHaveLength(1);
      expect(new Set(seen.map((each) => JSON.stringify(each?.approval))).size).toBe(1);
    });

    it('lists what waits, the one whose round ends first first', async () => {
      const [late, early] = [await under.ask(soon() + 9), await under.ask(soon() - 9_000)];
      const waiting = (await approvals.waiting(1_000)).map(({ id }) => id);
      expect(waiting.indexOf(early.id)).toBeGreaterThanOrEqual(0);
      expect(waiting.indexOf(early.id)).toBeLessThan(waiting.indexOf(late.id));
      expect(await approvals.waiting(1)).toHaveLength(1);
      await approvals.change(early.id, (run) => settledAs(run, 'denied'));
      expect((await approvals.waiting(1_000)).map(({ id }) => id)).not.toContain(early.id);
    });
  });
}

function settledAs(run: Run, state: 'approved' | 'denied' | 'expired', at = Date.now()): Settled {
  if (run.approval === undefined) throw new Error(`${run.id} asks nothing`);
  return settle(run, run.approval, state, at);
}

function withVote(run: Run, userId: string): Settled {
  if (run.approval === undefined) throw new Error(`${run.id} asks nothing`);
  const decision = {
    ...{ approval: run.approval.question.id, question: 'digest', kind: 'approve' as const, groups: [] },
    ...{ by: { kind: 'person' as const, userId, teamId: 'T1' }, at: 1, eventId: userId },
  };
  const votes = [...run.approval.votes, { decision, signature: 'signature' }];
  return { run: { ...run, approval: { ...run.approval, votes } }, entries: [] };
}
