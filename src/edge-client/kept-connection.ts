import type { ClientChannel } from 'ssh2';
import { abortable } from './abortable.ts';
import type { SshConnection } from './ssh-connection.ts';

/** Commands at a time on one connection; a stock sshd allows 10 (`MaxSessions`). */
export const channelsPerConnectionMax = 8;

/** One command's channel. `release` gives its place to the next one; it must be called exactly when done. */
export interface Lease {
  readonly channel: ClientChannel;
  release(): void;
}

/**
 * A connection that is kept between commands: hands out at most `channelsPerConnectionMax` channels at a time,
 * in order of asking, and closes itself after `idleCloseMs` without any, or when it is retired and empty.
 */
export class KeptConnection {
  readonly #connection: SshConnection;
  readonly #idleCloseMs: number;
  readonly #waiting: (() => void)[] = [];
  #active = 0;
  #retired = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(connection: SshConnection, idleCloseMs: number) {
    this.#connection = connection;
    this.#idleCloseMs = idleCloseMs;
    this.#startIdling();
  }

  /** Whether new commands may be given to it. */
  get usable(): boolean {
    return !this.#retired && !this.#connection.closed;
  }

  /** Runs a command when there is room. @throws MachineError `unreachable`, `verb-refused`; the signal's reason */
  async exec(command: string, signal: AbortSignal | undefined): Promise<Lease> {
    await this.#place(signal);
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      this.#leave();
    };
    const opening = this.#connection.exec(command);
    try {
      return { channel: await abortable(opening, signal), release };
    } catch (error) {
      // A channel that opens after all is not wanted any more.
      void opening.then((channel) => channel.close()).then(release, release);
      throw error;
    }
  }

  /** Takes no new commands; closes once the running ones have ended. */
  retire(): void {
    this.#retired = true;
    this.#closeIfEmpty();
  }

  /** Ends the connection and every command on it. Resolves when it is gone. */
  close(): Promise<void> {
    this.#retired = true;
    clearTimeout(this.#idleTimer);
    if (this.#connection.closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#connection.onClosed(resolve);
      this.#connection.close();
    });
  }

  async #place(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    clearTimeout(this.#idleTimer);
    if (this.#active < channelsPerConnectionMax) {
      this.#active += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = () => {
      const index = this.#waiting.indexOf(resolve);
      // Not among them: the place was given a moment ago, and who asked will find the signal aborted.
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      reject(signal?.reason);
    };
    this.#waiting.push(resolve);
    signal?.addEventListener('abort', giveUp, { once: true });
    await promise;
    signal?.removeEventListener('abort', giveUp);
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) {
      next();
      return;
    }
    this.#active -= 1;
    this.#closeIfEmpty();
    if (this.usable && this.#active === 0) this.#startIdling();
  }

  #startIdling(): void {
    this.#idleTimer = setTimeout(() => this.retire(), this.#idleCloseMs).unref();
  }

  #closeIfEmpty(): void {
    if (this.#retired && this.#active === 0) void this.close();
  }
}
