import { createPrivateKey, type KeyObject } from 'node:crypto';
import { publicKeyLine } from '../fleet/ssh-signature.ts';
import type { Environment } from './environment.ts';

/** Why the keys of this process would let whoever holds one of them do alone what takes bot and signer. */
export function sameKeyProblems(env: Environment, decisionKeys: readonly KeyObject[]): string[] {
  const { FLEETBOT_DECISION_KEY: decision, FLEETBOT_CAPSULE_KEY: capsule } = env;
  if (capsule === undefined) return [];
  const cure = 'Make a key for each: `fleetbot decision key NEW_FILE` and `fleetbot capsule key NEW_FILE`.';
  const line = lineOf(capsule);
  if (decision !== undefined && lineOf(decision) === line) {
    return [`FLEETBOT_DECISION_KEY and FLEETBOT_CAPSULE_KEY are the same key. ${cure}`];
  }
  if (!decisionKeys.some((key) => publicKeyLine(key) === line)) return [];
  return [
    `FLEETBOT_DECISION_PUBLIC_KEYS holds the public half of FLEETBOT_CAPSULE_KEY: the signer could then decide by itself. ${cure}`,
  ];
}

function lineOf(pem: string): string {
  return publicKeyLine(createPrivateKey(pem));
}
