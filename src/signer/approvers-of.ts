import { type Approval, decisionNamespace, decisionText } from '../fleet/approval.ts';
import type { Machine } from '../fleet/machine.ts';
import type { PersonRef } from '../fleet/requester.ts';
import { signerOf } from '../fleet/ssh-signature.ts';
import { tally } from '../fleet/tally.ts';
import { clockToleranceMs, type SigningRefusal, type SigningRules } from './signing-rules.ts';

const minuteMs = 60_000;

/**
 * Who agreed: every vote is signed by a bot, they are enough by this fleet file, and what they agreed to is not out of
 * date.
 */
export function approversOf(
  { question, votes }: Approval,
  machine: Machine,
  { fleet, decisionKeys, now }: SigningRules,
): { readonly approvers: readonly PersonRef[] } | SigningRefusal {
  for (const { decision, signature } of votes) {
    if (signerOf(decisionKeys, decisionNamespace, decisionText(decision), signature) !== undefined) continue;
    return {
      refused:
        `The decision of ${decision.by.userId} is not signed by a bot whose key the signer knows. Compare the bot's ` +
        "FLEETBOT_DECISION_KEY with the signer's FLEETBOT_DECISION_PUBLIC_KEYS; if they fit, somebody wrote the record.",
    };
  }
  const { state, approvers, open, ignored } = tally(fleet, machine, question, votes);
  if (state === 'denied') return { refused: 'It was denied.' };
  if (state === 'open') return { refused: `By the signer's fleet file it is not approved: ${open}` };
  const counted = votes.filter((vote) => !ignored.some((other) => other.vote === vote));
  const decidedAt = Math.max(...counted.map(({ decision }) => decision.at));
  if (decidedAt - now > clockToleranceMs) {
    return { refused: "A decision is from the future: compare the signer's clock with the bot's." };
  }
  const { validMinutes } = fleet.approvals;
  if (now - decidedAt > validMinutes * minuteMs) {
    return { refused: `It was approved more than ${validMinutes} minutes ago. Ask again.` };
  }
  return { approvers };
}
