import type { KeyObject } from 'node:crypto';
import { type ApprovalDecision, decisionNamespace, decisionText } from './approval.ts';
import { type Request, requestNamespace, requestText } from './request.ts';
import { signText } from './ssh-signature.ts';

/** Signs what people ask for and decide (bot's Seals). @param privateKey Ed25519 */
export function createSeals(privateKey: KeyObject): {
  decision(decision: ApprovalDecision): string;
  request(request: Request): string;
} {
  return {
    decision: (decision) => signText(privateKey, decisionNamespace, decisionText(decision)),
    request: (request) => signText(privateKey, requestNamespace, requestText(request)),
  };
}
