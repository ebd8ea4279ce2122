import type { Question } from './approval.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { type Asked, compose } from './question-for.ts';
import type { Run } from './run.ts';

/** How many findings an escalation names. */
const maxNamed = 3;

/**
 * The question whether people on call should look at what is critical. undefined where nothing is, or where the fleet
 * file names nobody who is on call.
 */
export function escalationFor(fleet: Fleet, machine: Machine, run: Run, now: number): Question | undefined {
  const { onCall } = fleet.approvals;
  const critical = run.findings.filter(({ severity }) => severity === 'critical');
  if (critical.length === 0 || onCall.length === 0) return undefined;
  const named = critical.slice(0, maxNamed).map(({ text }) => text);
  const more = critical.length > maxNamed ? [`and ${critical.length - maxNamed} more`] : [];
  const asked: Asked = {
    subject: { kind: 'escalation', to: [...onCall] },
    proposedBy: 'rule',
    why: [...named, ...more].join('; '),
    risk: 'reversible',
    taints: [],
  };
  return compose(fleet, machine, run, asked, now);
}
