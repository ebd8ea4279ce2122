import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { installPackage, onPath } from '../parts/system-package.ts';

/** setup-edge.sh is tested in its own language; each file of tests counts here as one. */
beforeAll(() => {
  if (!onPath('bats')) installPackage('bats');
});

it.each(
  globSync(join(import.meta.dirname, '../../edge/setup/*.bats')).map((file) => ({
    name: basename(file),
    file,
  })),
)('setup-edge.sh: every test of $name passes', { timeout: 120_000 }, ({ file }) => {
  const { status, stdout, stderr } = spawnSync('bats', ['--tap', file], { encoding: 'utf8' });
  expect(
    stdout
      .split('\n')
      .filter((line) => !/^(ok |1\.\.)/.test(line))
      .join('\n') + stderr,
  ).toBe('');
  expect(status).toBe(0);
});
