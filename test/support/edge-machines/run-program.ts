import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** How a program ended, and what it printed. */
export interface Finished {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this computer to its end, whatever that is; `env` is added to the environment. */
export async function attemptProgram(
  argv: readonly string[],
  input = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  // A program that does not read its input closes it early.
  child.stdin.on('error', () => {}).end(input);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode, stdout, stderr };
}

/** Runs a program of this computer; resolves with its output. @throws Error with what it printed when it fails */
export async function runProgram(argv: readonly string[], input = ''): Promise<string> {
  const { exitCode, stdout, stderr } = await attemptProgram(argv, input);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr || stdout}`);
  return stdout;
}
