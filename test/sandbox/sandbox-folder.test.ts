import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newSandboxFolder } from '../../src/sandbox/sandbox-folder.ts';

const otherUserId = 1_000;
let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'fleetbot-parent-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** A folder as another sandbox leaves it. */
function folderOf(name: string, pid: number | undefined): string {
  const folder = join(parent, name);
  mkdirSync(join(folder, 'redis'), { recursive: true });
  if (pid !== undefined) writeFileSync(join(folder, 'sandbox.pid'), String(pid));
  return folder;
}

/** The id of a process that has ended. */
const deadPid = () => spawnSync('true').pid;

describe("the sandbox's folder", () => {
  it('is new, and tells whose it is', () => {
    const folder = newSandboxFolder(parent);
    expect(readFileSync(join(folder, 'sandbox.pid'), 'utf8')).toBe(String(process.pid));
    expect(newSandboxFolder(parent)).not.toBe(folder);
    expect(existsSync(folder)).toBe(true);
  });

  it('takes the place of those whose sandbox was killed', () => {
    const killed = folderOf('fleetbot-sandbox-killed', deadPid());
    newSandboxFolder(parent);
    expect(existsSync(killed)).toBe(false);
  });

  it('leaves those alone that may be in use, and what is no sandbox', () => {
    const kept = [
      folderOf('fleetbot-sandbox-running', process.ppid),
      folderOf('fleetbot-sandbox-starting', undefined),
      folderOf('fleetbot-sandbox-odd', 0),
      folderOf('something-else', deadPid()),
    ];
    newSandboxFolder(parent);
    expect(kept.filter((folder) => !existsSync(folder))).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)('leaves those of other users alone', () => {
    const folder = folderOf('fleetbot-sandbox-theirs', deadPid());
    chownSync(folder, otherUserId, otherUserId);
    newSandboxFolder(parent);
    expect(existsSync(folder)).toBe(true);
  });
});
