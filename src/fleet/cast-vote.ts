import { type Approval, endOf, type Vote } from './approval.ts';
import type { Fleet } from './fleet.ts';
import { formatMoment } from './format.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import type { Machine } from './machine.ts';
import type { Run } from './run.ts';
import { type Settled, settle, waitingApproval } from './settle.ts';
import { tally } from './tally.ts';

/** What becomes of a click: the run that follows from it, or why it does not count, as a sentence for the person. */
export type Cast = Settled | { readonly refused: string };

/**
 * Counts a person's vote by the fleet file in force. One denial denies; the approval that completes the quorum
 * approves. Whoever approved may still deny while it is open: that takes the place of their approval. The same event
 * again changes nothing: the run as it is, without entries.
 * @param vote by a person of whom Slack was just asked whether they count at all
 */
export function castVote(run: Run, vote: Vote, fleet: Fleet, machine: Machine, now: number): Cast {
  const { decision } = vote;
  if (run.approval?.votes.some((each) => each.decision.eventId === decision.eventId)) {
    return { run, entries: [] };
  }
  const waiting = waitingApproval(run);
  if (waiting === undefined) return { refused: howItStands(run) };
  const { question, votes } = waiting;
  if (now >= endOf(question)) return { refused: expired(endOf(question)) };

  const before = tally(fleet, machine, question, votes);
  const own = votes.find((each) => each.decision.by.userId === decision.by.userId);
  const counts = before.approvers.some(({ userId }) => userId === decision.by.userId);
  if (own && counts && before.state === 'open' && decision.kind === 'approve') {
    return { refused: `You approved it at ${formatMoment(own.decision.at)} already. ${before.open}` };
  }
  const next = [...votes.filter((each) => each !== own), vote];
  const { state, ignored } = tally(fleet, machine, question, next);
  const problem = ignored.find((each) => each.vote === vote);
  if (problem) return { refused: problem.reason };

  const approval: Approval = { ...waiting, votes: next };
  const decided = decidedEntry(run, approval, vote, now);
  if (state === 'open') return { run: { ...run, approval }, entries: [decided] };
  const settled = settle(run, approval, state, now);
  return { ...settled, entries: [decided, ...settled.entries] };
}

/** How people or time decided what a run asked, who and when, as a sentence for whoever comes too late. */
export function howItStands({ id, approval, cancellation }: Run): string {
  if (approval === undefined) return `Run ${id} asks nothing.`;
  const { state, votes, settledAt = 0 } = approval;
  const at = formatMoment(settledAt);
  const by = (kind: Vote['decision']['kind']) =>
    votes.filter(({ decision }) => decision.kind === kind).map(({ decision }) => decision.by.userId);
  switch (state) {
    case 'waiting':
      return 'It waits for people to decide.';
    case 'approved':
      return `Decided already: ${by('approve').join(' and ')} approved it at ${at}.`;
    case 'denied': {
      const reason = votes.find(({ decision }) => decision.kind === 'deny')?.decision.reason;
      return `Decided already: ${by('deny').join(' and ')} denied it at ${at}.${reason === undefined ? '' : ` Reason: ${reason}`}`;
    }
    case 'expired':
      return expired(endOf(approval.question));
    case 'cancelled':
      return `It was cancelled by ${cancellation?.userId ?? 'somebody'} at ${at}.`;
  }
}

function expired(endedAt: number): string {
  return `It expired at ${formatMoment(endedAt)} without a decision. Ask for it again.`;
}

function decidedEntry(
  { id, trace }: Run,
  { question }: Approval,
  { decision }: Vote,
  at: number,
): LedgerEntry {
  const { by, kind, groups, reason } = decision;
  return {
    ...{ kind: 'approval.decided', at, by, approval: question.id, machine: question.machine },
    ...{ decision: kind, groups, run: id, trace: trace.traceId },
    ...(reason !== undefined && { reason }),
  };
}
