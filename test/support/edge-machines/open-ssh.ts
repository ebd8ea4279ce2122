import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyPair } from '../../../src/sandbox/key-pair.ts';
import type { EdgeMachine } from './edge-machine.ts';
import { attemptProgram, type Finished } from './run-program.ts';
import { until } from './until.ts';

const connectTimeoutSeconds = 3;

/** A client that runs. */
export interface HeldSsh extends Disposable {
  /** Resolves when it listens on a port of loopback. */
  listens(port: number): Promise<void>;
}

/** OpenSSH's own client with a key of a user, and what it pinned: what a stranger or an operator has at hand. */
export class OpenSsh implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fleetbot-ssh-'));
  readonly #machine: EdgeMachine;
  readonly #user: string;

  constructor(machine: EdgeMachine, user: string, key: KeyPair) {
    this.#machine = machine;
    this.#user = user;
    writeFileSync(this.#keyFile, key.privateKey, { mode: 0o600 });
    this.pin(machine.hostKey);
  }

  /** Expects this host key from now on. */
  pin(hostKey: string): void {
    writeFileSync(this.#knownHosts, `${this.#machine.network.address} ${hostKey}\n`);
  }

  /** Runs the client with further options before the host and a command after it. */
  ssh(
    options: readonly string[],
    command: readonly string[] = [],
    input = '',
    env: Readonly<Record<string, string>> = {},
  ): Promise<Finished> {
    return attemptProgram([...this.#client(options), ...command], input, env);
  }

  /** Keeps the client running with these options. */
  hold(options: readonly string[]): HeldSsh {
    const [program = '', ...args] = this.#client(options);
    const child = spawn(program, args, { stdio: 'ignore' });
    return {
      listens: (port) => until(() => expectListening(port), connectTimeoutSeconds * 1_000),
      [Symbol.dispose]: () => void child.kill('SIGKILL'),
    };
  }

  /** Copies a file of this computer there, over SFTP or the older protocol. */
  copy(from: string, to: string, options: readonly string[] = []): Promise<Finished> {
    const target = `${this.#user}@${this.#machine.network.address}:${to}`;
    return attemptProgram(['scp', ...this.#common, ...options, from, target]);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  get #keyFile(): string {
    return join(this.#folder, 'key');
  }

  get #knownHosts(): string {
    return join(this.#folder, 'known_hosts');
  }

  #client(options: readonly string[]): string[] {
    return ['ssh', ...this.#common, ...options, `${this.#user}@${this.#machine.network.address}`];
  }

  /** Nothing of the person's own, no questions. */
  get #common(): string[] {
    const options = [
      'BatchMode=yes',
      'IdentitiesOnly=yes',
      'StrictHostKeyChecking=yes',
      'HostKeyAlgorithms=ssh-ed25519',
      `UserKnownHostsFile=${this.#knownHosts}`,
      `ConnectTimeout=${connectTimeoutSeconds}`,
    ];
    return ['-F', 'none', '-i', this.#keyFile, ...options.flatMap((option) => ['-o', option])];
  }
}

async function expectListening(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
