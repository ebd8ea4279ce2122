import { publicKeyLine } from '../fleet/ssh-signature.ts';
import { keyId, publicKeyText } from '../queue/ledger/ledger-key.ts';
import type { KeyLine } from '../runtime/command-line.ts';
import { writeKeyFiles } from '../runtime/write-key-files.ts';
import { write } from './write.ts';

/** Makes a key that signs. Who verifies what the other two sign wants the public key as a line of OpenSSH. */
export async function makeKey({ command, file }: KeyLine): Promise<void> {
  const made = `Wrote the private key ${file} and the public key ${file}.pub.`;
  if (command === 'ledger key') {
    const publicKey = await writeKeyFiles(file, publicKeyText);
    write(`${made} Key id: ${keyId(publicKey)}\n`);
  } else {
    const publicKey = await writeKeyFiles(file);
    write(`${made}\n${publicKeyLine(publicKey)}\n`);
  }
}
