/**
 * `npm run check`: types, lint, import rules, generated files and manifests, shell scripts, pods, units. Runs every
 * step even when one fails, and exits 1 when any did.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { installPackage, onPath } from '../test/e2e/parts/system-package.ts';

const root = join(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);

/** The parts of setup-edge.sh are checked with it (-a): only there their variables have values. */
const shellScripts = [
  '.ci/run',
  ...globSync('{scripts,edge,deploy,test}/**/*.{sh,bash,bats}', {
    cwd: root,
    exclude: ['edge/scripts/lib/*'],
  }),
];
const pods = globSync('edge/units/**/*.yaml', { cwd: root });
const yamlRules =
  '{ extends: default, rules: { document-start: disable, line-length: { max: 120 }, braces: { max-spaces-inside: 1 }, comments: { min-spaces-from-content: 1 } } }';
/** Quadlet as podman's packages install it; a machine without podman checks the units by their schemas alone. */
const quadlet = ['/usr/libexec/podman/quadlet', '/usr/lib/podman/quadlet'].find((path) => existsSync(path));

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
  { name: 'shell scripts', command: ['shellcheck', '-x', '-a', '-P', 'SCRIPTDIR', ...shellScripts] },
  {
    name: 'pods',
    command: ['yamllint', '-s', '-d', yamlRules, ...pods],
  },
  ...(quadlet === undefined
    ? []
    : [
        {
          name: 'Quadlet',
          command: ['env', `QUADLET_UNIT_DIRS=${join(root, 'edge/units/user')}`, quadlet, '-dryrun', '-user'],
        },
      ]),
];

let failed = 0;
for (const program of ['shellcheck', 'yamllint']) {
  try {
    if (!onPath(program)) installPackage(program);
  } catch (error) {
    process.stderr.write(`check: ${String(error)}\n`);
    failed += 1;
  }
}
for (const { name, command } of steps) {
  const [program = '', ...args] = command;
  const { status } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  process.stdout.write(`check: ${name}: ${status === 0 ? 'ok' : 'FAILED'}\n`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
