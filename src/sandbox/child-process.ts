import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FleetbotError } from '../fleet/errors.ts';

/** A part of the sandbox that did not start; the message says what it printed last. */
export class SandboxError extends FleetbotError {
  constructor(message: string, options?: ErrorOptions) {
    super('sandbox-failed', message, options);
  }
}

/** A process of ours that the sandbox started. */
export interface ChildProcess {
  readonly pid: number;
  /** The end of what it printed so far, from its log file. */
  lastLines(): string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** SIGTERM, and SIGKILL when it has not ended after the limit. Resolves when it has ended. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** For people, in messages. */
  readonly name: string;
  readonly argv: readonly string[];
  /** The name that the program sees itself called by; its file where absent. */
  readonly argv0?: string;
  /** Its whole environment; this process's where absent. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
  /** Asked until it says true. */
  readonly ready: (child: ChildProcess) => Promise<boolean>;
  readonly readyTimeoutMs: number;
  readonly stopTimeoutMs?: number;
}

const defaultStopTimeoutMs = 15_000;
const readyPollMs = 20;
const lastLinesShown = 15;

/**
 * Starts a process with its output in a file and waits until it is ready. A process group of its own keeps
 * the terminal's Ctrl-C away from it: the sandbox stops its parts in order. It never outlives this process,
 * not even one that is killed.
 * @throws SandboxError when it ends early or is not ready in time; it is stopped then
 */
export async function startChild(options: ChildOptions): Promise<ChildProcess> {
  const [program = '', ...args] = options.argv;
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    ...(options.argv0 !== undefined && { argv0: options.argv0 }),
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let running = true;
  const end = () => {
    running = false;
    watcher.kill('SIGKILL');
    resolve();
  };
  child.once('exit', end);
  child.once('error', end);

  /** Its own children go with it. Nothing happens when it has just ended. */
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  // However this process ends, the watcher's stdin closes then.
  const watcher = spawn('sh', ['-c', 'read -r _; kill -KILL "-$1"', 'sh', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });

  const handle: ChildProcess = {
    pid: child.pid ?? 0,
    lastLines: () =>
      readFileSync(options.logFile, 'utf8').trimEnd().split('\n').slice(-lastLinesShown).join('\n'),
    ended,
    async stop() {
      if (!running) return;
      signalGroup('SIGTERM');
      const timer = setTimeout(() => signalGroup('SIGKILL'), options.stopTimeoutMs ?? defaultStopTimeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };

  const deadline = performance.now() + options.readyTimeoutMs;
  while (running && performance.now() < deadline) {
    if (await options.ready(handle).catch(() => false)) return handle;
    await sleep(readyPollMs);
  }
  const outcome = running ? `was not ready within ${options.readyTimeoutMs / 1_000} s` : 'ended at once';
  await handle.stop();
  throw new SandboxError(`${options.name} ${outcome}. It printed:\n${handle.lastLines()}`);
}
