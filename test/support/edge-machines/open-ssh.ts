import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyPair } from '../../../src/sandbox/key-pair.ts';
import type { EdgeMachine } from './edge-machine.ts';
import { attemptProgram, type Finished } from './run-program.ts';

const connectTimeoutSeconds = 3;

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
  ssh(options: readonly string[], command: readonly string[] = [], input = ''): Promise<Finished> {
    const { address } = this.#machine.network;
    return attemptProgram(
      ['ssh', ...this.#common, ...options, `${this.#user}@${address}`, ...command],
      input,
    );
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
