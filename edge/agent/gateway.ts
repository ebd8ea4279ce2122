import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** OpenClaw's gateway as a child process. */
export class Gateway {
  readonly #child: ChildProcess;
  /** Resolves when it ended: its exit code, or 128 + the number of the signal that ended it. */
  readonly exitCode: Promise<number>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.exitCode = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) =>
      typeof code === 'number' ? code : 128 + (typeof signal === 'string' ? constants.signals[signal] : 0),
    );
  }

  static start(options: {
    readonly openClaw: string;
    readonly port: number;
    readonly env: NodeJS.ProcessEnv;
    readonly workspace: string;
  }): Gateway {
    const args = [options.openClaw, 'gateway', 'run', '--port', String(options.port)];
    const { env, workspace: cwd } = options;
    return new Gateway(spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] }));
  }

  /** Asks it to end, and kills it when it has not after the grace. Resolves, once it is gone, with whether it ended. */
  async end(graceMs: number): Promise<boolean> {
    this.#child.kill('SIGTERM');
    const cancel = new AbortController();
    const ended = await Promise.race([
      this.exitCode.then(() => true),
      sleep(graceMs, false, { signal: cancel.signal }),
    ]);
    cancel.abort();
    if (!ended) this.#child.kill('SIGKILL');
    await this.exitCode;
    return ended;
  }
}
