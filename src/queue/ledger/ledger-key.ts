import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { InputError, SettingsError } from '../../fleet/errors.ts';
import type { Checkpoint } from './ledger-line.ts';

/** An Ed25519 key as PEM texts. */
export interface LedgerKeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** A new key pair for signing checkpoints. */
export function newLedgerKeyPair(): LedgerKeyPair {
  return generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** @throws SettingsError when it is no Ed25519 private key */
export function readPrivateKey(pem: string): KeyObject {
  const key = keyOf(() => createPrivateKey(pem));
  if (key !== undefined) return key;
  throw new SettingsError(
    'FLEETBOT_LEDGER_KEY is not an Ed25519 private key in PEM format without a passphrase. Make one with `fleetbot ledger key NEW_FILE`.',
  );
}

/**
 * Reads a public key; a private key's public half will do.
 * @throws InputError when it is no Ed25519 key
 */
export function readPublicKey(pem: string, name: string): KeyObject {
  const key = keyOf(() => createPublicKey(pem));
  if (key !== undefined) return key;
  throw new InputError(
    `${name} holds no Ed25519 public key in PEM format. Give the .pub file of \`fleetbot ledger key\`.`,
  );
}

function keyOf(read: () => KeyObject): KeyObject | undefined {
  try {
    const key = read();
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Names a key: the SHA-256 of its public half (SPKI, DER), in hex. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

export function signCheckpoint(unsigned: Omit<Checkpoint, 'signature'>, privateKey: KeyObject): Checkpoint {
  const signature = sign(null, checkpointText(unsigned), privateKey).toString('hex');
  return { ...unsigned, signature };
}

/** Whether the key signed it. */
export function isSigned(checkpoint: Checkpoint, publicKey: KeyObject): boolean {
  return verify(null, checkpointText(checkpoint), publicKey, Buffer.from(checkpoint.signature, 'hex'));
}

/** What is signed. The first line keeps the signature from meaning anything elsewhere. */
function checkpointText({ seq, chain, at }: Omit<Checkpoint, 'signature'>): Buffer {
  return Buffer.from(`fleetbot ledger checkpoint, format 1\n${seq}\n${chain}\n${at}\n`);
}
