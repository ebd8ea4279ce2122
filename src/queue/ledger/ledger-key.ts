import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { InputError } from '../../fleet/errors.ts';
import { ed25519Key } from '../../fleet/signing-key.ts';
import type { Checkpoint } from './ledger-line.ts';

/**
 * Reads a public key; a private key's public half will do.
 * @throws InputError when it is no Ed25519 key
 */
export function readPublicKey(pem: string, name: string): KeyObject {
  const key = ed25519Key(() => createPublicKey(pem));
  if (key !== undefined) return key;
  throw new InputError(
    `${name} holds no Ed25519 public key in PEM format. Give the .pub file of \`fleetbot ledger key\`.`,
  );
}

/** A public key as it stands in the file that verifies ledgers: PEM. */
export function publicKeyText(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
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
