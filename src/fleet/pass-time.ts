import type { Approval } from './approval.ts';
import type { Run } from './run.ts';
import { type Settled, settle, waitingApproval } from './settle.ts';

/**
 * What the clock does to a run that waits for people: a reminder in every round, then the next round, at the end
 * expiry. undefined where nothing is due. After a time in which nobody looked it goes straight to the state of now:
 * rounds that passed meanwhile are left out, since nobody was asked in them.
 */
export function passTime(run: Run, now: number): Settled | undefined {
  const approval = waitingApproval(run);
  if (approval === undefined) return undefined;
  const { id, machine, rounds } = approval.question;
  const due = rounds.findIndex(({ endsAt }) => now < endsAt);
  const round = rounds[due];
  if (round === undefined) return settle(run, approval, 'expired', now);

  const reminded = now >= round.remindAt;
  if (due <= approval.round) {
    if (due < approval.round || approval.reminded || !reminded) return undefined;
    return { run: { ...run, approval: { ...approval, reminded } }, entries: [] };
  }
  return {
    run: { ...run, approval: { ...approval, round: due, reminded } },
    entries: [{ kind: 'approval.passed-on', at: now, approval: id, machine, to: round.mention }],
  };
}

/** When the clock changes something about a question that waits: its round's reminder, then its end. */
export function nextMoment({ question, round, reminded }: Approval): number {
  const current = question.rounds[round];
  if (current === undefined) throw new RangeError(`approval ${question.id} has no round ${round}`);
  return reminded ? current.endsAt : current.remindAt;
}
