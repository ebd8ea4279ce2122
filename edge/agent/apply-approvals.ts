import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Gives OpenClaw the list of what may be executed, which it keeps in its state. That takes some 5 s, so it is done
 * only when the list is not the one that was applied last. Resolves with whether it was done.
 * @throws Error when OpenClaw does not take the list; the agent must not run with another one
 */
export async function applyApprovals(options: {
  readonly openClaw: string;
  readonly settings: string;
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends it in the middle. */
  readonly signal: AbortSignal;
}): Promise<boolean> {
  const { openClaw, settings, state, env, signal } = options;
  const file = join(settings, 'approvals.json');
  const marker = join(state, 'approvals.sha256');
  // Another version of OpenClaw, in another image, may keep the list elsewhere.
  const version = await readFile(join(openClaw, '../package.json'));
  const digest = createHash('sha256')
    .update(version)
    .update(await readFile(file))
    .digest('hex');
  const applied = await readFile(marker, 'utf8').catch(() => undefined);
  if (applied === digest) return false;
  const child = spawn(process.execPath, [openClaw, 'approvals', 'set', '--file', file], {
    cwd: state,
    env,
    signal,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== 0)
    throw new Error(`OpenClaw did not take ${file} (exit code ${exitCode}). See the lines above.`);
  await writeFile(marker, digest);
  return true;
}
