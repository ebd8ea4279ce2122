import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { CommandOutput } from '../../fleet/evidence.ts';

/** Where commands are looked for, whatever the PATH of this process is. */
const commandPath = '/usr/sbin:/usr/bin:/sbin:/bin';
/** How long one command may run. */
export const commandTimeLimitMs = 10_000;
/** How much of each of stdout and stderr is kept, unless the caller says otherwise. */
export const defaultOutputLimitBytes = 65_536;
/** Read beyond the limit, so that a secret that straddles it is whole when it is looked for. */
const redactionMarginBytes = 8_192;

const exitNotFound = 127;
const exitNotExecutable = 126;

export interface BrokerOptions {
  readonly redact: (text: string) => string;
  readonly clock: () => number;
  readonly timeLimitMs?: number;
  /** Of each of stdout and stderr. */
  readonly outputLimitBytes?: number;
  /** Ends the command early. */
  readonly signal?: AbortSignal;
}

/**
 * Runs one command on the host: exactly this argument vector, no shell, a fixed PATH, `LC_ALL=C` and nothing
 * else in the environment, `/` as directory, no stdin. What comes back is redacted. Never throws: a command
 * that is missing has exit code 127, one that may not be executed 126, as in a shell.
 */
export async function runCommand(argv: readonly string[], options: BrokerOptions): Promise<CommandOutput> {
  const { redact, clock, signal } = options;
  const { timeLimitMs = commandTimeLimitMs, outputLimitBytes = defaultOutputLimitBytes } = options;
  const [program = '', ...args] = argv;
  const startedAt = clock();
  const child = spawn(program, args, {
    cwd: '/',
    env: { PATH: commandPath, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that what the command starts ends with it.
    detached: true,
  });
  const stdout = collect(child.stdout, outputLimitBytes);
  const stderr = collect(child.stderr, outputLimitBytes);

  const end = (): void => {
    if (child.pid === undefined) return;
    killGroup(child.pid);
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(end, timeLimitMs);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();

  const { promise: exited, resolve } = Promise.withResolvers<number | null>();
  child.once('error', (error) => {
    const missing = 'code' in error && error.code === 'ENOENT';
    stderr.add(`${program}: ${missing ? 'command not found' : error.message}\n`);
    resolve(missing ? exitNotFound : exitNotExecutable);
  });
  child.once('close', resolve);
  const exitCode = await exited;
  clearTimeout(timer);
  signal?.removeEventListener('abort', end);

  const out = cut(redact(stdout.text()), outputLimitBytes);
  const err = cut(redact(stderr.text()), outputLimitBytes);
  return {
    argv: [...argv],
    exitCode,
    stdout: out.text,
    stderr: err.text,
    truncated: out.truncated || err.truncated,
    durationMs: clock() - startedAt,
  };
}

/** SIGKILL for a process group; one that is gone already is what was wanted. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Keeps the beginning of a stream and lets the rest pass by, so that the command never blocks on a full pipe. */
function collect(stream: Readable, limitBytes: number): { add(text: string): void; text(): string } {
  const chunks: Buffer[] = [];
  let size = 0;
  const add = (chunk: Buffer): void => {
    const room = limitBytes + redactionMarginBytes - size;
    if (room <= 0) return;
    const kept = chunk.subarray(0, room);
    chunks.push(kept);
    size += kept.length;
  };
  stream.on('data', add);
  return { add: (text) => add(Buffer.from(text)), text: () => Buffer.concat(chunks).toString('utf8') };
}

function cut(text: string, limitBytes: number): { text: string; truncated: boolean } {
  const bytes = Buffer.from(text);
  if (bytes.length <= limitBytes) return { text, truncated: false };
  return { text: bytes.subarray(0, limitBytes).toString('utf8'), truncated: true };
}
