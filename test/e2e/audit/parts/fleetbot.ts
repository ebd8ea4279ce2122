import { join } from 'node:path';
import { attemptProgram } from '../../../support/edge-machines/run-program.ts';

const main = join(import.meta.dirname, '../../../../src/main.ts');

/** Runs fleetbot on the command line; resolves with what it printed. @throws Error with all of it when it fails */
export async function fleetbot(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await attemptProgram([process.execPath, main, ...args], '', env);
  if (exitCode !== 0)
    throw new Error(`fleetbot ${args.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`);
  return stdout;
}
