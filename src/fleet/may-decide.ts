import { type Asker, type Decision, decide } from './access.ts';
import type { ApprovalDecision, Question } from './approval.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { quorumNow } from './quorum.ts';
import { personBehind } from './requester.ts';

/**
 * Whether the person may decide this, by the fleet file as it is given, with a sentence for them. Whoever asked for it
 * never approves it, but may withdraw it by a denial. `groups`: those through which they may.
 */
export function mayDecide(
  fleet: Fleet,
  machine: Machine,
  question: Question,
  person: Asker,
  kind: ApprovalDecision['kind'] = 'approve',
): Decision {
  const decision = decide(fleet, person, 'approve', machine, question.risk);
  const refuse = (reason: string): Decision => ({ allowed: false, reason, groups: [] });
  if (person.userId === personBehind(question.requester)?.userId) {
    if (kind === 'approve') {
      return refuse(
        'You asked for this yourself, and nobody approves their own. Somebody else must; you may deny it.',
      );
    }
    if (person.excluded) return decision;
    return { allowed: true, reason: 'You asked for this, so you may withdraw it.', groups: decision.groups };
  }
  const { differentGroups } = quorumNow(fleet, question);
  if (decision.allowed && kind === 'approve' && differentGroups && decision.groups.length === 0) {
    return refuse(
      `This needs people of different user groups, and no user group of yours may approve it on ${machine.name}: only rows that name you do. You may deny it.`,
    );
  }
  if (decision.allowed || kind === 'approve') return decision;
  return refuse(`You may not deny this on ${machine.name}: ${decision.why ?? decision.reason}`);
}
