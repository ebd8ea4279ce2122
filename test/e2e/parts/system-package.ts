import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Two files of a suite may want a package at the same time; the distribution's tools refuse to wait for one another. */
const lock = join(tmpdir(), 'fleetbot-packages.lock');

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
    ? spawnSync('flock', [lock, 'apt-get', 'update', '-qq'], apt).status === 0 &&
      spawnSync('flock', [lock, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', name], apt)
        .status === 0
    : onPath('dnf') && spawnSync('flock', [lock, 'dnf', 'install', '-y', '-q', name], quiet).status === 0;
  if (!ok)
    throw new Error(`The package ${name} is missing and could not be installed. Install it and run again.`);
}

/**
 * Where a program of a package is whose service is not wanted: on PATH, or unpacked once into the user's cache.
 * @throws Error as `unpackPackage`
 */
export function programOf(name: string, program: string): string {
  if (onPath(program)) return program;
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'fleetbot-e2e', name);
  const file = join(folder, 'usr/bin', program);
  if (!existsSync(file)) unpackPackage(name, folder);
  return file;
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
  const download = () =>
    run('flock', lock, 'apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', name);
  try {
    const got =
      onPath('apt-get') && (download() || (run('flock', lock, 'apt-get', 'update', '-qq') && download()));
    const [file = ''] = got ? globSync(join(downloads, '*.deb')) : [];
    if (!run('dpkg-deb', '-x', file, folder)) {
      throw new Error(`The package ${name} is missing and could not be unpacked. Install it and run again.`);
    }
  } finally {
    rmSync(downloads, { recursive: true });
  }
}
