import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const names = (path: string, pattern: RegExp) =>
  new Set([...readFileSync(join(root, path), 'utf8').matchAll(pattern)].map(([, name = '']) => name));

it('deploy/redis/keys.md tells of every key that keys.ts names, and of no other', () => {
  const inCode = names('src/queue/keys.ts', /^ \* ([a-z][a-z-]*(?::[a-zA-Z]+)*) {1,}\S/gm);
  const beside = new Set(['probe', 'wakes:…', 'sweeps:…']);
  expect(names('deploy/redis/keys.md', /^\| `([^`]+)`/gm).difference(beside)).toEqual(inCode);
});
