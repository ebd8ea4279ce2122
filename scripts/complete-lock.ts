/**
 * Completes package-lock.json with the packages of other platforms that the registry at hand does not have.
 * npm leaves such optional dependencies out of the lock file, and `npm ci` then refuses it everywhere. An
 * entry needs a version and the platform alone: npm skips it where the platform is another, and fetches it
 * where it fits. With `--check` nothing is written, and the exit code is 1 when something is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const file = join(import.meta.dirname, '../package-lock.json');
const platformPattern =
  /(?<os>android|darwin|freebsd|linux|win32)-(?<cpu>arm64|x64|arm|ia32)(?<musl>-musl)?$/;

const packageSchema = z.looseObject({
  version: z.string().optional(),
  dev: z.boolean().optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
});
const lockSchema = z.looseObject({ packages: z.record(z.string(), packageSchema) });

const lock = lockSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
const known = lock.packages;
const added: string[] = [];

for (const [place, { optionalDependencies = {}, dev }] of Object.entries(known)) {
  if (place === '') continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const top = `node_modules/${name}`;
    const platform = platformPattern.exec(name)?.groups;
    if (!platform || known[`${place}/${top}`]?.version || known[top]?.version) continue;
    known[top] = {
      version,
      cpu: [platform.cpu],
      ...(dev && { dev }),
      ...(platform.musl && { libc: ['musl'] }),
      optional: true,
      os: [platform.os],
    };
    added.push(name);
  }
}

if (added.length > 0 && process.argv.includes('--check')) {
  process.stderr.write(`package-lock.json lacks ${added.join(', ')}: run "npm run complete-lock".\n`);
  process.exitCode = 1;
} else if (added.length > 0) {
  const packages = Object.fromEntries(Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  process.stdout.write(`added ${added.join(', ')}\n`);
}
