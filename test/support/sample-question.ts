import { actionDigest } from '../../src/fleet/action.ts';
import { type Approval, approvalIdOf, type Question } from '../../src/fleet/approval.ts';
import type { Run } from '../../src/fleet/run.ts';

export const askedAt = Date.parse('2026-11-22T10:00:10Z');
const minuteMs = 60_000;

/** A run's question whether to vacuum the journal: two rounds of half an hour, each reminded of after twenty minutes. */
export function sampleQuestion(run: Run, changes: Partial<Question> = {}): Question {
  const { machine, requester } = run.request;
  const argv = ['journalctl', '--vacuum-size=200M'];
  const at = changes.askedAt ?? askedAt;
  const round = (mention: string, begins: number) => ({
    mention: [mention],
    remindAt: begins + 20 * minuteMs,
    endsAt: begins + 30 * minuteMs,
  });
  return {
    id: approvalIdOf(run.id),
    run: run.id,
    machine,
    subject: {
      ...{ kind: 'action', action: 'vacuum-journal', params: { size: '200M' } },
      ...{ argv, digest: actionDigest(machine, argv), noUndo: 'What is vacuumed is gone.' },
    },
    proposedBy: 'rule',
    why: '/var is 93% full',
    risk: 'reversible',
    taints: [],
    requester,
    quorum: { approvals: 1, differentGroups: false },
    askedAt: at,
    rounds: [round('S0OPS', at), round('S0LEADS', at + 30 * minuteMs)],
    ...changes,
  };
}

/** The question as it is put to people. */
export function sampleApproval(run: Run, changes: Partial<Question> = {}): Approval {
  const question = sampleQuestion(run, changes);
  return { question, state: 'waiting', round: 0, reminded: false, votes: [] };
}
