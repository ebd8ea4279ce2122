import { basename, dirname, join } from 'node:path';
import { SettingsError } from '../../fleet/errors.ts';
import { type FileLock, type FileLockOptions, type LockHolder, lockFile } from '../file-lock.ts';

/** The lock's file. Hidden, so that `ledger.jsonl*` does not match it. */
export function lockFileOf(file: string): string {
  return join(dirname(file), `.${basename(file)}.lock`);
}

/**
 * Locks a ledger file.
 * @throws SettingsError that names the process which holds it
 */
export async function lockLedger(file: string, options: FileLockOptions): Promise<FileLock> {
  const path = lockFileOf(file);
  const answer = await lockFile(path, options);
  if (answer.lock) return answer.lock;
  throw lockedBy(answer.holder, file, path);
}

function lockedBy(holder: LockHolder | undefined, file: string, path: string): SettingsError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new SettingsError(
    `The ledger file ${file} is written by ${who}. Give every process a FLEETBOT_LEDGER_FILE of its own; where that process is gone for good, remove ${path}.`,
  );
}
