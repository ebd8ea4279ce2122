import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder of the user's cache, made once, telling so on standard error. It is there whole or not at all; whoever
 * makes it at the same time wins too.
 */
export async function cached(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fleetbot-e2e');
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  process.stderr.write(`e2e: making ${name} …\n`);
  await mkdir(cache, { recursive: true });
  const making = await mkdtemp(join(cache, 'making-'));
  try {
    await make(making);
    await rename(making, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY') throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}
