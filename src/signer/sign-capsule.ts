import type { KeyObject } from 'node:crypto';
import { canonicalJson } from '../fleet/canonical-json.ts';
import { type Capsule, capsuleNamespace } from '../fleet/capsule.ts';
import { requesterWord } from '../fleet/requester.ts';
import type { Run } from '../fleet/run.ts';
import { signText } from '../fleet/ssh-signature.ts';
import { approversOf } from './approvers-of.ts';
import { askAgain } from './ask-again.ts';
import type { SigningAsk, SigningReply } from './ports.ts';
import { recordProblem } from './record-problem.ts';
import { requestProblem } from './request-problem.ts';
import type { SigningRules } from './signing-rules.ts';

/** How the signer signs. */
export interface SigningMeans extends SigningRules {
  /** Ed25519. */
  readonly capsuleKey: KeyObject;
  /** How long a machine takes the capsule. */
  readonly capsuleLifetimeMs: number;
}

/**
 * The capsule of an approved action; or why there is none. Nothing in the record is believed: who asked and who agreed
 * must be signed by a bot, and what is run, its risk, and who may agree are worked out again from the signer's own
 * fleet file.
 */
export function signCapsule(ask: SigningAsk, run: Run, means: SigningMeans): SigningReply {
  const { approval, request } = run;
  if (approval === undefined) return { refused: `Nobody was asked anything in ${run.id}.` };
  const { question } = approval;
  const problem = recordProblem(ask, run, approval) ?? requestProblem(request, question, means);
  if (problem !== undefined) return { refused: problem };
  const asked = askAgain(run, question, means.fleet);
  if ('refused' in asked) return asked;
  const agreed = approversOf(approval, asked.machine, means);
  if ('refused' in agreed) return agreed;

  const { subject } = asked;
  const capsule: Capsule = {
    version: 1,
    id: question.id,
    machine: asked.machine.name,
    fence: ask.fence,
    run: run.id,
    traceparent: ask.traceparent,
    action: subject.action,
    argv: subject.argv,
    digest: subject.digest,
    requestedBy: requesterWord(request.requester),
    approvedBy: agreed.approvers.map(({ userId }) => userId),
    signedAt: means.now,
    expiresAt: means.now + means.capsuleLifetimeMs,
  };
  const text = canonicalJson(capsule);
  return { signed: { capsule: text, signature: signText(means.capsuleKey, capsuleNamespace, text) } };
}
