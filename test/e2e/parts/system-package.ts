import { spawnSync } from 'node:child_process';

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
