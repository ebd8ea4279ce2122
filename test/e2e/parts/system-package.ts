import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether a program is on PATH. */
export function onPath(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

/**
 * Installs a package of the distribution, telling so on standard error.
 * @throws Error that names the package when it cannot be installed: a suite never skips silently
 */
export function installPackage(name: string): void {
  process.stderr.write(`e2e: installing ${name} through the distribution …\n`);
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] as ('ignore' | 'inherit')[] };
  const apt = { ...quiet, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const ok = onPath('apt-get')
    ? spawnSync('apt-get', ['update', '-qq'], apt).status === 0 &&
      spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], apt).status === 0
    : onPath('dnf') && spawnSync('dnf', ['install', '-y', '-q', name], quiet).status === 0;
  if (!ok)
    throw new Error(`The package ${name} is missing and could not be installed. Install it and run again.`);
}

/**
 * Unpacks a package of the distribution into a folder, for programs whose package would start a service: nothing
 * is installed. Tells so on standard error.
 * @throws Error that names the package when it cannot be had: a suite never skips silently
 */
export function unpackPackage(name: string, folder: string): void {
  process.stderr.write(`e2e: unpacking ${name} of the distribution …\n`);
  const downloads = mkdtempSync(join(tmpdir(), 'fleetbot-package-'));
  const run = (program: string, ...args: string[]) =>
    spawnSync(program, args, { cwd: downloads, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  // apt's own user may not write into the folder.
  const download = () => run('apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', name);
  try {
    const got = onPath('apt-get') && (download() || (run('apt-get', 'update', '-qq') && download()));
    const [file = ''] = got ? globSync(join(downloads, '*.deb')) : [];
    if (!run('dpkg-deb', '-x', file, folder)) {
      throw new Error(`The package ${name} is missing and could not be unpacked. Install it and run again.`);
    }
  } finally {
    rmSync(downloads, { recursive: true });
  }
}
