import { describeVerification } from '../queue/ledger/describe-verification.ts';
import { verifyLedger } from '../queue/ledger/verify-ledger.ts';
import type { VerifyLine } from '../runtime/command-line.ts';
import { write } from './write.ts';

/** Checks an exported ledger. Resolves to whether it is sound. */
export async function verifyExport(line: VerifyLine): Promise<boolean> {
  const verification = await verifyLedger(line);
  write(describeVerification(verification));
  return verification.sound;
}
