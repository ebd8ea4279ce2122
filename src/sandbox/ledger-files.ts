import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the ledger is exported to, with a new key that signs it; the public key lies beside it as `key.pem.pub`. */
export function newLedgerFiles(folder: string): { file: string; keyFile: string } {
  const keyFile = join(folder, 'key.pem');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(keyFile, privateKey, { mode: 0o600 });
  writeFileSync(`${keyFile}.pub`, publicKey);
  return { file: join(folder, 'ledger.jsonl'), keyFile };
}
