import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { InputError } from '../../fleet/errors.ts';
import { keyId, newLedgerKeyPair } from './ledger-key.ts';

/**
 * Makes a key pair: the private key in the file, for its owner alone, the public one in FILE.pub. Returns the
 * key's id.
 * @throws InputError when one of them is there already or cannot be written
 */
export async function writeLedgerKey(file: string): Promise<string> {
  const { privateKey, publicKey } = newLedgerKeyPair();
  await writeNew(file, privateKey, 0o600);
  await writeNew(`${file}.pub`, publicKey, 0o644);
  return keyId(createPublicKey(publicKey));
}

async function writeNew(file: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(file, content, { mode, flag: 'wx' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file} cannot be written (${reason}). Name a new file.`, { cause: error });
  }
}
