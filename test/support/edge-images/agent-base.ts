import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runProgram } from '../edge-machines/run-program.ts';
import { installOpenClaw, openClawVersion } from '../openclaw.ts';

/** What a change of must lead to another base. */
export const agentBaseRecipe = {
  suite: 'trixie',
  packages: ['ca-certificates', 'libstdc++6'],
  node: process.version,
  openClaw: openClawVersion,
  // Of the same name and number as in Node's own images.
  user: { name: 'node', uid: 1000 },
} as const;

/**
 * Writes the files of what `edge/image/Containerfile.base` makes, as a tar archive, from the distribution's and
 * npm's packages instead of from a registry of images.
 */
export async function writeAgentBase(archive: string): Promise<void> {
  const { suite, packages, user } = agentBaseRecipe;
  const openClaw = dirname(dirname(dirname(await installOpenClaw())));
  const node = await realpath(process.execPath);
  await runProgram([
    ...['mmdebstrap', '--quiet', '--variant=minbase', '--dpkgopt=path-exclude=/usr/share/{doc,man,locale}/*'],
    `--include=${packages.join(',')}`,
    `--customize-hook=copy-in ${node} /usr/local/bin`,
    '--customize-hook=mkdir "$1/opt/openclaw"',
    `--customize-hook=copy-in ${openClaw}/node_modules /opt/openclaw`,
    `--customize-hook=chroot "$1" useradd --create-home --uid ${user.uid} ${user.name}`,
    ...[suite, archive],
  ]);
}
