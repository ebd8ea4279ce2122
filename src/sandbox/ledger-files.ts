import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSigningKeyPair } from '../fleet/signing-key.ts';

/** Where the ledger is exported to, with a new key that signs it; the public key lies beside it as `key.pem.pub`. */
export function newLedgerFiles(folder: string): { file: string; keyFile: string } {
  const keyFile = join(folder, 'key.pem');
  const { privateKey, publicKey } = newSigningKeyPair();
  writeFileSync(keyFile, privateKey, { mode: 0o600 });
  writeFileSync(`${keyFile}.pub`, publicKey);
  return { file: join(folder, 'ledger.jsonl'), keyFile };
}
