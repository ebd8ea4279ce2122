import type { KeyObject } from 'node:crypto';
import { readSigningKey } from '../fleet/signing-key.ts';
import { publicKeyLine } from '../fleet/ssh-signature.ts';
import type { Environment } from './environment.ts';
import { readPublicKeys } from './public-keys.ts';

/** What the signer goes by. */
export interface SignerSettings {
  /** PEM. */
  readonly capsuleKey: string;
  /** The bots' public keys. */
  readonly decisionKeys: readonly KeyObject[];
  readonly capsuleLifetimeMs: number;
  readonly requestMaxAgeMs: number;
}

type NeededName = 'FLEETBOT_CAPSULE_KEY' | 'FLEETBOT_DECISION_PUBLIC_KEYS';

/** The settings of the signer; undefined in a process that is none. The role `all` is one where it has the key. */
export function signerSettings(
  env: Environment,
  need: (name: NeededName) => string,
): SignerSettings | undefined {
  const { FLEETBOT_ROLE: role, FLEETBOT_CAPSULE_KEY: key } = env;
  if (role !== 'signer' && (role !== 'all' || key === undefined)) return undefined;
  const capsuleKey = need('FLEETBOT_CAPSULE_KEY');
  const publicKeys =
    env.FLEETBOT_DECISION_PUBLIC_KEYS ?? ownPublicKey(env) ?? need('FLEETBOT_DECISION_PUBLIC_KEYS');
  return {
    capsuleKey,
    // What cannot be read was told already.
    decisionKeys: readPublicKeys(publicKeys) ?? [],
    capsuleLifetimeMs: env.FLEETBOT_CAPSULE_LIFETIME_MS,
    requestMaxAgeMs: env.FLEETBOT_REQUEST_MAX_AGE_MS,
  };
}

/** The public half of the bot's key, where the bot is in the same process. */
function ownPublicKey({ FLEETBOT_ROLE: role, FLEETBOT_DECISION_KEY: pem }: Environment): string | undefined {
  if (role !== 'all' || pem === undefined) return undefined;
  return publicKeyLine(readSigningKey(pem, 'decision'));
}
