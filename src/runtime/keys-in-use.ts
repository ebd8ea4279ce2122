import { createPrivateKey } from 'node:crypto';
import { fingerprint } from '../fleet/ssh-signature.ts';
import type { Settings } from './settings.ts';

/** The fingerprints of a process's public keys, which operators compare with those of the others. */
export interface KeysInUse {
  /** The bot's own. */
  readonly decision?: string;
  /** The signer's own. */
  readonly capsule?: string;
  /** Those of the bots that the signer believes. */
  readonly decisionsBelieved?: readonly string[];
}

/** Which keys a process uses, by its roles. */
export function keysInUse({ slack, decisionKey, signer }: Settings): KeysInUse {
  return {
    ...(slack !== undefined &&
      decisionKey !== undefined && { decision: fingerprint(createPrivateKey(decisionKey)) }),
    ...(signer !== undefined && {
      capsule: fingerprint(createPrivateKey(signer.capsuleKey)),
      decisionsBelieved: signer.decisionKeys.map(fingerprint),
    }),
  };
}
