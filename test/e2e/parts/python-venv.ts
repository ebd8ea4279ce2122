import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installPackage } from './system-package.ts';

/**
 * The folder with the programs of a Python package: a virtual environment in the user's cache, made once.
 * @param extra what of the package's optional dependencies is wanted, by their name
 * @throws Error when it cannot be made
 */
export function venvBinFolder(name: string, version: string, extra?: string): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'fleetbot-e2e', `${name}-${version}`);
  const ready = join(folder, extra === undefined ? 'ready' : `ready-${extra}`);
  if (!existsSync(ready)) {
    const wanted = extra === undefined ? name : `${name}[${extra}]`;
    process.stderr.write(`e2e: installing ${wanted} ${version} into a virtual environment …\n`);
    if (spawnSync('python3', ['-c', 'import ensurepip'], { stdio: 'ignore' }).status !== 0)
      installPackage('python3-venv');
    // One that is whole, but without the extra, gets only that.
    if (!existsSync(join(folder, 'ready'))) run('python3', ['-m', 'venv', '--clear', folder]);
    run(join(folder, 'bin/pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `${wanted}==${version}`,
    ]);
    run('touch', [ready]);
  }
  return join(folder, 'bin');
}

function run(program: string, args: readonly string[]): void {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed with exit code ${status}.`);
}
