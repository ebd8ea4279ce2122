import { createPublicKey, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { InputError } from '../fleet/errors.ts';
import { newSigningKeyPair } from '../fleet/signing-key.ts';
import { publicKeyLine } from '../fleet/ssh-signature.ts';

/**
 * Makes an Ed25519 key: the private half in the file, for its owner alone; the public one in FILE.pub, as a line of
 * OpenSSH or as `publicText` has it. Returns the public key.
 * @throws InputError when one of them is there already or cannot be written
 */
export async function writeKeyFiles(
  file: string,
  publicText: (publicKey: KeyObject) => string = publicLine,
): Promise<KeyObject> {
  const { privateKey, publicKey: pem } = newSigningKeyPair();
  const publicKey = createPublicKey(pem);
  await writeNew(file, privateKey, 0o600);
  await writeNew(`${file}.pub`, publicText(publicKey), 0o644);
  return publicKey;
}

function publicLine(publicKey: KeyObject): string {
  return `${publicKeyLine(publicKey)}\n`;
}

async function writeNew(file: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(file, content, { mode, flag: 'wx' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file} cannot be written (${reason}). Name a new file.`, { cause: error });
  }
}
