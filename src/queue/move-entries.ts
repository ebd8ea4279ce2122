import { type Approval, questionDigest } from '../fleet/approval.ts';
import type { AgentErrorCode } from '../fleet/errors.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { paramWords } from '../fleet/request.ts';
import type { Diagnosis, Run, RunState } from '../fleet/run.ts';

/** What is told of an activation whose agent is stopped, or given up. */
export type EndedActivation = Pick<Diagnosis, 'usage' | 'costUsd' | 'model'> & {
  /** Counts from 1. */
  readonly activation: number;
  readonly failure?: string;
};

/** The activation that ended with a move to where the run is; every one ends as its run leaves `stopping`. */
export function endedActivation({ state, diagnosis }: Run, from: RunState): EndedActivation | undefined {
  if (from !== 'stopping' || state === 'stopping') return undefined;
  const { activations = 1, usage, costUsd, model, failure } = diagnosis ?? {};
  // The next one begins, because nothing came of this one.
  if (state === 'starting') {
    return { activation: activations - 1, failure: 'agent-interrupted' satisfies AgentErrorCode };
  }
  return {
    activation: activations,
    ...(model !== undefined && { model }),
    ...(usage && { usage }),
    ...(costUsd !== undefined && { costUsd }),
    ...(failure && { failure: failure.code }),
  };
}

/** What the ledger says of a move that a worker stores under this fence. */
export function moveEntries(
  run: Run,
  ended: EndedActivation | undefined,
  fence: number,
  at: number,
): readonly LedgerEntry[] {
  const of = { at, run: run.id, machine: run.request.machine };
  return [
    ...(ended ? [{ kind: 'activation.ended', ...of, ...ended } as const] : []),
    ...enteredEntries(run, fence, at),
  ];
}

function enteredEntries(run: Run, fence: number, at: number): readonly LedgerEntry[] {
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
