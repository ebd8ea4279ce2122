import { type Approval, questionDigest } from '../fleet/approval.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { paramWords } from '../fleet/request.ts';
import type { Run } from '../fleet/run.ts';

/** What the ledger says of a move that a worker stores under this fence. */
export function moveEntries(run: Run, fence: number, at: number): readonly LedgerEntry[] {
  const of = { at, run: run.id, machine: run.request.machine };
  switch (run.state) {
    case 'starting':
      return [{ kind: 'activation.began', ...of, fence, activation: run.diagnosis?.activations ?? 0 }];
    case 'awaiting':
      return [askedEntry(approvalOf(run), at)];
    case 'acting':
      return [beganEntry(run, fence, at)];
    case 'done':
      return doneEntries(run, at);
    default:
      return [];
  }
}

/** What the ledger says of a run's end. */
export function doneEntries(run: Run, at: number): readonly LedgerEntry[] {
  const of = { at, run: run.id, machine: run.request.machine };
  const { costUsd, failure: agentFailure } = run.diagnosis ?? {};
  const { outcome, effect } = run.action ?? {};
  const { withheld } = run;
  const ended: LedgerEntry[] =
    outcome === undefined ? [] : [{ kind: 'action.ended', ...of, outcome, ...(effect && { effect }) }];
  return [
    ...ended,
    {
      kind: 'run.done',
      ...of,
      verdict: run.verdict ?? 'failed',
      inertness: run.inertness,
      ...(run.failure && { failure: run.failure.code }),
      ...(withheld && { withheld: { moment: withheld.moment, kind: withheld.kind } }),
      ...(agentFailure && { agentFailure: agentFailure.code }),
      ...(costUsd !== undefined && { costUsd }),
    },
  ];
}

/** @throws RangeError where a run asks or acts without a question (a bug) */
export function approvalOf({ id, state, approval }: Run): Approval {
  if (approval === undefined) throw new RangeError(`run ${id}: ${state} without a question`);
  return approval;
}

function askedEntry({ question }: Approval, at: number): LedgerEntry {
  const { id: approval, run, machine, subject, risk, proposedBy } = question;
  const asked = {
    ...({ kind: 'approval.asked', at, approval, run, machine } as const),
    ...{ question: questionDigest(question), proposedBy },
  };
  if (subject.kind === 'escalation') return { ...asked, what: 'escalation' };
  const what = [subject.action, ...paramWords(subject.params)].join(' ');
  return { ...asked, what, risk, digest: subject.digest };
}

function beganEntry(run: Run, fence: number, at: number): LedgerEntry {
  const { question, votes } = approvalOf(run);
  const { subject } = question;
  if (subject.kind !== 'action') throw new RangeError(`run ${run.id}: acting without an action`);
  const approvals = votes.filter(({ decision }) => decision.kind === 'approve');
  return {
    ...{ kind: 'action.began', at, run: run.id, machine: run.request.machine, fence },
    ...{ action: subject.action, digest: subject.digest },
    approvedBy: approvals.map(({ decision }) => decision.by.userId),
  };
}
