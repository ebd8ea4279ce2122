import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const prefix = 'fleetbot-sandbox-';
const pidFile = 'sandbox.pid';

/**
 * A new folder for this process's sandbox, after those of dead ones are removed: a sandbox that was killed
 * cannot remove its own, and a private key lies in it. Only folders of this user, whose process is gone.
 */
export function newSandboxFolder(parent: string): string {
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name);
    if (name.startsWith(prefix) && isAbandoned(folder)) rmSync(folder, { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(parent, prefix));
  writeFileSync(join(folder, pidFile), String(process.pid));
  return folder;
}

/** The folders of this user's sandboxes that run at this moment, the one that was started last first. */
export function sandboxFolders(parent: string): readonly string[] {
  const running = readdirSync(parent)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(parent, name))
    .filter((folder) => ownerOf(folder)?.isAlive === true);
  return running
    .map((folder) => ({ folder, startedAt: lstatSync(join(folder, pidFile)).mtimeMs }))
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .map(({ folder }) => folder);
}

/** Whether it is a folder of ours whose process is known to be gone; where in doubt it is not. */
function isAbandoned(folder: string): boolean {
  return ownerOf(folder)?.isAlive === false;
}

/** The process whose folder it is; undefined where it is not this user's, or says nothing of a process. */
function ownerOf(folder: string): { readonly isAlive: boolean } | undefined {
  try {
    const { uid } = lstatSync(folder);
    if (uid !== process.getuid?.()) return undefined;
    const pid = Number(readFileSync(join(folder, pidFile), 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? { isAlive: isAlive(pid) } : undefined;
  } catch {
    // No pid file: another sandbox is just writing it, or it is no sandbox's folder.
    return undefined;
  }
}

/** Also a process of somebody else, which may not be signalled, is alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
