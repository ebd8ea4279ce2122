import { type ChildProcess, SandboxError } from '../../src/sandbox/child-process.ts';

export type VictimState = 'starting' | 'up' | 'frozen' | 'down';

/** A process that is killed and frozen, and is started again whenever it has ended. */
export class Victim {
  readonly name: string;
  readonly #start: () => Promise<ChildProcess>;
  #child: ChildProcess | undefined;
  #state: VictimState = 'starting';
  #stopping = false;
  #running: Promise<void> | undefined;
  /** How often it has been started: tells one life from the next. */
  lives = 0;

  constructor(name: string, start: () => Promise<ChildProcess>) {
    this.name = name;
    this.#start = start;
  }

  get state(): VictimState {
    return this.#state;
  }

  /** Resolves when it is up the first time. @throws SandboxError when it does not start then */
  async start(): Promise<void> {
    const first = await this.#start();
    this.#running = this.#keepRunning(first);
  }

  /** SIGKILL. */
  kill(): void {
    if (this.#state !== 'up' && this.#state !== 'frozen') return;
    this.#state = 'down';
    this.#signal('SIGKILL');
  }

  /** SIGSTOP, and SIGCONT after this long. */
  freeze(ms: number): void {
    if (this.#state !== 'up') return;
    const frozen = this.#child;
    this.#state = 'frozen';
    this.#signal('SIGSTOP');
    setTimeout(() => {
      if (this.#child === frozen) this.thaw();
    }, ms).unref();
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#signal('SIGCONT');
    this.#state = 'up';
  }

  /** SIGTERM, and its end for good. */
  async stop(): Promise<void> {
    this.thaw();
    this.#stopping = true;
    await this.#child?.stop();
    await this.#running;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child) process.kill(this.#child.pid, signal);
  }

  async #keepRunning(first: ChildProcess): Promise<void> {
    let child: ChildProcess | undefined = first;
    while (!this.#stopping) {
      if (child !== undefined) {
        this.#child = child;
        this.lives += 1;
        this.#state = 'up';
        await child.ended;
        this.#state = 'starting';
      }
      if (this.#stopping) return;
      child = await this.#start().catch((error: unknown) => {
        // It needs Redis to start, which may be gone itself.
        if (error instanceof SandboxError) return undefined;
        throw error;
      });
      if (this.#stopping) await child?.stop();
    }
  }
}
