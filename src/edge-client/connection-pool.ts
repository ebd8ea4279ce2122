import type { Logger } from 'pino';
import { MachineError, toFailure } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { abortable } from './abortable.ts';
import { KeptConnection, type Lease } from './kept-connection.ts';
import { openSshConnection } from './ssh-connection.ts';

/** How long a connection without commands is kept, unless the caller says otherwise. */
export const defaultIdleCloseMs = 60_000;

/**
 * After a refused key the machine is left alone: sshd's `PerSourcePenalties` would lock good keys from this
 * host out as well. The wait doubles with every further refusal.
 */
export const authBackOffFirstMs = 10_000;
export const authBackOffMaxMs = 600_000;

/** A channel from the pool. */
export interface PooledLease extends Lease {
  /** Keeps others away from the connection, which seems to be sick; what runs on it may end. */
  retireConnection(): void;
}

/** Connections to machines: how many are open, and how opening them has ended so far. */
export interface ConnectionStats {
  readonly open: number;
  readonly opened: number;
  /** By the code of the MachineError. */
  readonly failed: ReadonlyMap<string, number>;
}

/** What is kept of a machine between commands. */
interface Place {
  readonly identity: string;
  opening?: Promise<KeptConnection> | undefined;
  kept?: KeptConnection | undefined;
  refusals: number;
  blockedUntil: number;
}

/**
 * Keeps one SSH connection per machine: opened on demand, shared by concurrent callers, closed when idle,
 * opened anew after it broke, replaced when the fleet file gives the machine another address, port, user or
 * host key.
 */
export class ConnectionPool {
  readonly #privateKey: string;
  readonly #log: Logger;
  readonly #clock: () => number;
  readonly #idleCloseMs: number;
  readonly #places = new Map<string, Place>();
  readonly #alive = new Set<KeptConnection>();
  /** By the codes that `openSshConnection` throws. */
  readonly #failed = new Map([
    ['unreachable', 0],
    ['host-key-changed', 0],
    ['key-refused', 0],
  ]);
  #opened = 0;
  #closed = false;

  constructor(options: { privateKey: string; log: Logger; clock: () => number; idleCloseMs: number }) {
    this.#privateKey = options.privateKey;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#idleCloseMs = options.idleCloseMs;
  }

  stats(): ConnectionStats {
    return { open: this.#alive.size, opened: this.#opened, failed: this.#failed };
  }

  /** Whether a command would go over a connection that is open already, and so may be broken unnoticed. */
  keeps(machine: Machine): boolean {
    return this.#placeOf(machine).kept?.usable ?? false;
  }

  /**
   * Opens the machine's connection, if it is not open.
   * @throws MachineError `unreachable`, `host-key-changed`, `key-refused`; the signal's reason
   */
  async connect(machine: Machine, signal?: AbortSignal): Promise<void> {
    await abortable(this.#connection(machine), signal);
  }

  /**
   * Runs one command on the machine's connection. A connection on which that fails is not used again.
   * @throws MachineError as `connect` does, and `verb-refused`; the signal's reason
   */
  async exec(machine: Machine, command: string, signal?: AbortSignal): Promise<PooledLease> {
    const connection = await abortable(this.#connection(machine), signal);
    try {
      const lease = await connection.exec(command, signal);
      return { ...lease, retireConnection: () => connection.retire() };
    } catch (error) {
      const healthy = error instanceof MachineError && error.code === 'verb-refused';
      if (!healthy) connection.retire();
      throw error;
    }
  }

  /** Ends every connection and every command on them. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#places.values()].map((place) => place.opening));
    await Promise.all([...this.#alive].map((connection) => connection.close()));
  }

  #placeOf(machine: Machine): Place {
    const identity = [machine.address, machine.ssh.port, machine.ssh.user, machine.hostKey].join(' ');
    const known = this.#places.get(machine.name);
    if (known?.identity === identity) return known;
    known?.kept?.retire();
    const place: Place = { identity, refusals: 0, blockedUntil: 0 };
    this.#places.set(machine.name, place);
    return place;
  }

  #connection(machine: Machine): Promise<KeptConnection> {
    if (this.#closed) {
      return Promise.reject(new MachineError('unreachable', 'fleetbot is shutting down. Ask again later.'));
    }
    const place = this.#placeOf(machine);
    if (place.kept?.usable) return Promise.resolve(place.kept);
    place.opening ??= this.#open(place, machine).finally(() => {
      place.opening = undefined;
    });
    return place.opening;
  }

  async #open(place: Place, machine: Machine): Promise<KeptConnection> {
    const waitMs = place.blockedUntil - this.#clock();
    if (waitMs > 0) {
      throw new MachineError(
        'key-refused',
        `${machine.name} refused the SSH key before; it is left alone for another ${Math.ceil(waitMs / 1000)} s, ` +
          "lest it locks this host out. Install fleetbot's public key on it.",
      );
    }
    try {
      const connection = await openSshConnection(machine, this.#privateKey);
      this.#opened += 1;
      place.refusals = 0;
      const kept = new KeptConnection(connection, this.#idleCloseMs);
      this.#alive.add(kept);
      connection.onClosed(() => this.#alive.delete(kept));
      place.kept = kept;
      this.#log.debug({ machine: machine.name }, 'connected over SSH');
      return kept;
    } catch (error) {
      const { code } = toFailure(error);
      this.#failed.set(code, (this.#failed.get(code) ?? 0) + 1);
      if (code === 'key-refused') {
        const backOffMs = Math.min(authBackOffFirstMs * 2 ** place.refusals, authBackOffMaxMs);
        place.refusals += 1;
        place.blockedUntil = this.#clock() + backOffMs;
        this.#log.warn({ machine: machine.name, backOffMs }, 'the SSH key was refused');
      }
      throw error;
    }
  }
}
