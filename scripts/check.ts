/**
 * `npm run check`: types, lint, import rules, generated files and manifests, shell scripts. Runs every step
 * even when one fails, and exits 1 when any did.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);

const shellScripts = ['.ci/run', ...globSync('{scripts,edge,deploy,test}/**/*.sh', { cwd: root })];

const steps: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'types', command: [bin('tsc'), '--noEmit', '-p', root] },
  { name: 'lint and format', command: [bin('biome'), 'ci', '--error-on-warnings', root] },
  { name: 'import rules', command: [bin('vitest'), 'run', '--project', 'unit', 'test/architecture'] },
  { name: 'generated files', command: [process.execPath, 'scripts/generate.ts', '--check'] },
  { name: 'lock file', command: [process.execPath, 'scripts/complete-lock.ts', '--check'] },
  {
    name: 'example fleet file',
    command: [process.execPath, 'src/main.ts', 'validate', 'deploy/fleet.example.yaml'],
  },
  ...shellScripts.map((script) => ({ name: `syntax of ${script}`, command: ['bash', '-n', script] })),
];

let failed = 0;
for (const { name, command } of steps) {
  const [program = '', ...args] = command;
  const { status } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  process.stdout.write(`check: ${name}: ${status === 0 ? 'ok' : 'FAILED'}\n`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
