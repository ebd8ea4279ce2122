import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installPackage } from './system-package.ts';

/**
 * The folder with the programs of a Python package: a virtual environment in the user's cache, made once.
 * @throws Error when it cannot be made
 */
export function venvBinFolder(name: string, version: string): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'fleetbot-e2e', `${name}-${version}`);
  const ready = join(folder, 'ready');
  if (!existsSync(ready)) {
    process.stderr.write(`e2e: installing ${name} ${version} into a virtual environment …\n`);
    if (spawnSync('python3', ['-c', 'import ensurepip'], { stdio: 'ignore' }).status !== 0)
      installPackage('python3-venv');
    run('python3', ['-m', 'venv', '--clear', folder]);
    run(join(folder, 'bin/pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `${name}==${version}`,
    ]);
    run('touch', [ready]);
  }
  return join(folder, 'bin');
}

function run(program: string, args: readonly string[]): void {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed with exit code ${status}.`);
}
