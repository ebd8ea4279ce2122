import { readFile } from 'node:fs/promises';
import { isMissing } from './is-missing.ts';

/** What the kernel calls this boot; the same text at every boot where there is no `/proc`. */
export async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return 'unknown';
    throw error;
  }
}
