import { join } from 'node:path';
import { writeKeyFiles } from '../runtime/write-key-files.ts';

/** Files of the keys without which no action is approved. */
export interface ApprovalKeys {
  /** The bot's private key. */
  readonly decision: string;
  /** The signer's private key. */
  readonly capsule: string;
  /** What machines know the signer by: a line of OpenSSH. */
  readonly signers: string;
}

/** Makes new ones. @param folder an empty one */
export async function newApprovalKeys(folder: string): Promise<ApprovalKeys> {
  const [decision, capsule] = [join(folder, 'decision.pem'), join(folder, 'capsule.pem')];
  await writeKeyFiles(decision);
  await writeKeyFiles(capsule);
  return { decision, capsule, signers: `${capsule}.pub` };
}
