import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Puts the machine's AGENTS.md where OpenClaw reads it at every task. */
export async function installInstructions(options: {
  readonly settings: string;
  readonly workspace: string;
}): Promise<void> {
  await mkdir(options.workspace, { recursive: true });
  await copyFile(join(options.settings, 'AGENTS.md'), join(options.workspace, 'AGENTS.md'));
}
