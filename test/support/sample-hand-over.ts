import type { HandOver } from '../../src/fleet/hand-over.ts';
import { openHandOver } from '../../src/fleet/hand-over-moves.ts';
import type { Run } from '../../src/fleet/run.ts';
import { askedAt, sampleApproval } from './sample-question.ts';
import { sampleRun } from './sample-run.ts';

/** A person, a channel, a pager and a user group, in this order. */
export const everyTarget = ['U0EVA', 'C0CALL', 'pager:primary', 'S0LEADS'];

/** A run that asks whether to escalate. */
export function escalatingRun(id: string, to: readonly string[] = everyTarget): Run {
  const run = sampleRun(id, 'awaiting', { verdict: 'critical' });
  return { ...run, approval: sampleApproval(run, { subject: { kind: 'escalation', to: [...to] } }) };
}

/** A hand-over that was just approved; nobody is called yet. */
export function sampleHandOver(
  changes: Partial<HandOver> = {},
  runId: string = 'r-00000000aaaa',
  now: number = askedAt,
): HandOver {
  const run = escalatingRun(runId, changes.targets);
  const opened = run.approval && openHandOver(run, run.approval, 'approved', now);
  if (opened === undefined) throw new Error('nothing is handed over');
  return { ...opened, ...changes };
}
