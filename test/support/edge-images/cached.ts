import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** An older version of a folder that no suite has used for so long goes, when a newer one is made. */
const unusedMs = 86_400_000;

/**
 * A folder of the user's cache, `KIND-DIGEST`, made once, telling so on standard error. It is there whole or not at
 * all; whoever makes it at the same time wins too.
 */
export async function cached(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fleetbot-e2e');
  const folder = join(cache, name);
  if (existsSync(folder)) {
    await utimes(folder, new Date(), new Date());
    return folder;
  }
  process.stderr.write(`e2e: making ${name} …\n`);
  await mkdir(cache, { recursive: true });
  const making = await mkdtemp(join(cache, 'making-'));
  try {
    await removeUnused(cache, name.slice(0, name.lastIndexOf('-') + 1));
    await make(making);
    await rename(making, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY') throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}

async function removeUnused(cache: string, kind: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(kind)) continue;
    const folder = join(cache, name);
    const { mtimeMs } = await stat(folder);
    if (Date.now() - mtimeMs > unusedMs) await rm(folder, { recursive: true, force: true });
  }
}
