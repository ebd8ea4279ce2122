import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SettingsError } from './errors.ts';

/** What keys sign: the exported ledger; people's decisions and requests; what machines may run. */
export const keyKinds = ['ledger', 'decision', 'capsule'] as const;
export type KeyKind = (typeof keyKinds)[number];

/** An Ed25519 key as PEM texts. */
export interface SigningKeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** A new key pair. */
export function newSigningKeyPair(): SigningKeyPair {
  return generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** Whether the text is an Ed25519 private key in PEM format without a passphrase. */
export function isSigningKey(pem: string): boolean {
  return ed25519Key(() => createPrivateKey(pem)) !== undefined;
}

/** @throws SettingsError when it is no Ed25519 private key */
export function readSigningKey(pem: string, kind: KeyKind): KeyObject {
  const key = ed25519Key(() => createPrivateKey(pem));
  if (key !== undefined) return key;
  throw new SettingsError(
    `FLEETBOT_${kind.toUpperCase()}_KEY is not an Ed25519 private key in PEM format without a passphrase. Make one with \`fleetbot ${kind} key NEW_FILE\`.`,
  );
}

/** What is read, where it is an Ed25519 key. */
export function ed25519Key(read: () => KeyObject): KeyObject | undefined {
  try {
    const key = read();
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}
