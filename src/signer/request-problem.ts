import type { Question } from '../fleet/approval.ts';
import { canonicalJson } from '../fleet/canonical-json.ts';
import { type Request, requestNamespace, requestText } from '../fleet/request.ts';
import { requesterWord } from '../fleet/requester.ts';
import { signerOf } from '../fleet/ssh-signature.ts';
import { clockToleranceMs, type SigningRules } from './signing-rules.ts';

/** What is wrong with a request as the one, sealed by a bot, that led to the question. */
export function requestProblem(
  request: Request,
  question: Question,
  { decisionKeys, now, requestMaxAgeMs }: SigningRules,
): string | undefined {
  const { seal = '', acceptedAt, requester, task } = request;
  if (signerOf(decisionKeys, requestNamespace, requestText(request), seal) === undefined) {
    return (
      'The request is not sealed by a bot whose key the signer knows. Give the bot FLEETBOT_DECISION_KEY, and the ' +
      'signer its public half in FLEETBOT_DECISION_PUBLIC_KEYS; if both are as they should be, somebody wrote the record.'
    );
  }
  if (requester.kind === 'supervisor') {
    return `The supervisor of ${requester.machine} asked for it, and a supervisor may ask for checks only.`;
  }
  if (now - acceptedAt > requestMaxAgeMs) {
    return 'The request is older than FLEETBOT_REQUEST_MAX_AGE_MS allows. Ask again.';
  }
  if (acceptedAt - now > clockToleranceMs) {
    return "The request is from the future: compare the signer's clock with the bot's.";
  }
  if (canonicalJson(question.requester) !== canonicalJson(requester)) {
    return `The question names ${requesterWord(question.requester)} as the one who asked, but ${requesterWord(requester)} did.`;
  }
  if ((task.kind === 'act') !== (question.proposedBy === 'person')) {
    return `The question says that a ${question.proposedBy} proposed it; a request to ${task.kind} does not lead there.`;
  }
  return undefined;
}
