import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 20;

/** Resolves once the file exists. */
export async function fileThere(file: string): Promise<void> {
  while (!existsSync(file)) await sleep(pollMs);
}
