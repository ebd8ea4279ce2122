import type { Risk } from './action.ts';
import type { Question } from './approval.ts';
import type { Fleet } from './fleet.ts';

/** How many people must agree to something of this risk. Different groups mean nothing where one is enough. */
export function quorumOf({ approvals: rules }: Pick<Fleet, 'approvals'>, risk: Risk): Question['quorum'] {
  const approvals = rules.quorum[risk];
  return { approvals, differentGroups: approvals > 1 && rules.differentGroups.includes(risk) };
}

/** The stricter of what the card says and what the fleet file says now. */
export function quorumNow(fleet: Pick<Fleet, 'approvals'>, { quorum, risk }: Question): Question['quorum'] {
  const now = quorumOf(fleet, risk);
  return {
    approvals: Math.max(quorum.approvals, now.approvals),
    differentGroups: quorum.differentGroups || now.differentGroups,
  };
}
