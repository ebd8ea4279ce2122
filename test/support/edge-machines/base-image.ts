import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached } from '../edge-images/cached.ts';
import { recipeOf, type Suite } from './recipe.ts';
import { runProgram } from './run-program.ts';

type Recipe = ReturnType<typeof recipeOf>;

/**
 * The image of a fresh machine's disk: ext4, built once from the distribution's packages and kept in the user's
 * cache under a hash of its recipe.
 */
export async function baseImage(suite: Suite = 'trixie'): Promise<string> {
  const recipe = recipeOf(suite);
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  return join(await cached(`edge-machine-${hash}`, (folder) => makeImage(folder, recipe)), 'disk.ext4');
}

async function makeImage(folder: string, recipe: Recipe): Promise<void> {
  const root = join(folder, 'root');
  await runProgram([
    ...['mmdebstrap', '--quiet', '--variant=minbase', '--dpkgopt=path-exclude=/usr/share/{doc,man,locale}/*'],
    // What a machine knows of updates.
    ...['--skip=cleanup/apt/lists', `--include=${recipe.packages.join(',')}`],
    ...[recipe.suite, root, ...mirror()],
  ]);
  await configure(root, recipe);
  await runProgram([
    'mke2fs',
    '-q',
    '-t',
    'ext4',
    '-d',
    root,
    join(folder, 'disk.ext4'),
    `${recipe.sizeMiB}M`,
  ]);
  await rm(root, { recursive: true });
}

async function configure(root: string, recipe: Recipe): Promise<void> {
  for (const [path, content] of Object.entries(recipe.files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await rm(join(root, path), { force: true });
    await writeFile(join(root, path), content);
  }
  const units = join(root, 'etc/systemd/system');
  const links = [
    ...recipe.masked.map((unit) => [join(units, unit), '/dev/null'] as const),
    ...Object.entries(recipe.links).map(([path, target]) => [join(root, path), target] as const),
  ];
  for (const [path, target] of links) {
    await rm(path, { force: true });
    await symlink(target, path);
  }
  // Every machine gets its own.
  await runProgram(['sh', '-c', 'rm -f "$1"/etc/ssh/ssh_host_*', 'sh', root]);
}

/** Where this computer has its own packages from, if it is of the same distribution; else mmdebstrap knows one. */
function mirror(): string[] {
  if (!/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))) return [];
  const sources = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'].filter(existsSync);
  const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
  return /^(?:URIs:|deb(?: \[[^\]]*\])?) +(http\S+)/m.exec(text)?.slice(1, 2) ?? [];
}
