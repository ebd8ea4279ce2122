import type { Question } from './approval.ts';
import { escalationFor } from './escalation-for.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { proposeByAgent } from './propose-by-agent.ts';
import { proposeByRule } from './propose-by-rule.ts';
import type { Run } from './run.ts';

/**
 * What people are asked after a check or a question, if anything: by the fleet file's rules, else what the agent
 * proposes, else whether to escalate. Never where the run failed, was cancelled, or found out nothing or nothing wrong;
 * nor where the request has no seal, because the signer would sign nothing. Another machine's supervisor may ask for a
 * check and for nothing that follows from it: what its peers find is told in one place, see `peers.ts`.
 */
export function propose(fleet: Fleet, machine: Machine, run: Run, now: number): Question | undefined {
  const { request, cancellation, failure, verdict } = run;
  if (request.requester.kind === 'supervisor') return undefined;
  if (request.seal === undefined || cancellation !== undefined || failure !== undefined) return undefined;
  // A critical finding outranks what could not be measured: such a run's verdict is `critical`.
  if (verdict !== 'warning' && verdict !== 'critical' && verdict !== 'answered') return undefined;
  return (
    proposeByRule(fleet, machine, run, now) ??
    proposeByAgent(fleet, machine, run, now) ??
    escalationFor(fleet, machine, run, now)
  );
}
