import type { Approval, ApprovalState } from './approval.ts';
import type { HandOver } from './hand-over.ts';
import { openHandOver } from './hand-over-moves.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { moveRun, type Run } from './run.ts';

/** A run as people or time changed it, and what the ledger says of that, beside its end. */
export interface Settled {
  readonly run: Run;
  readonly entries: readonly LedgerEntry[];
  /** What begins with it: people on call are told. */
  readonly handOver?: HandOver | undefined;
}

/** What the run waits for people to decide; undefined where it does not wait (any more). */
export function waitingApproval({ approval }: Run): Approval | undefined {
  return approval?.state === 'waiting' ? approval : undefined;
}

/**
 * Ends the question of a run in `awaiting`. An approved action goes on to its machine; everything else is done: a
 * check keeps its verdict, and an action that is not to be is `cancelled`. An escalation that people did not deny is
 * handed over.
 */
export function settle(
  run: Run,
  approval: Approval,
  state: Exclude<ApprovalState, 'waiting'>,
  now: number,
  changes: Partial<Run> = {},
): Settled {
  const { id, machine, subject } = approval.question;
  const goesOn = state === 'approved' && subject.kind === 'action';
  const moved = moveRun(run, goesOn ? 'approved' : 'done', now, {
    ...changes,
    ...(!goesOn && run.request.task.kind === 'act' && { verdict: 'cancelled' }),
    approval: { ...approval, state, settledAt: now },
  });
  return {
    run: moved,
    entries: [{ kind: 'approval.settled', at: now, approval: id, machine, state }],
    handOver: openHandOver(run, approval, state, now),
  };
}
