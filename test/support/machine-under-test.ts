import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { type KeyPair, newKeyPair } from '../../src/sandbox/key-pair.ts';
import {
  type MachineOptions,
  type SandboxMachine,
  startMachine,
} from '../../src/sandbox/machine/start-machine.ts';
import { GateClient } from './gate-client.ts';

export const machineName = 'tested-01';
export const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

/** A sandbox machine with a plain SSH client; can be restarted on the same state. */
export class MachineUnderTest implements AsyncDisposable {
  readonly key: KeyPair = newKeyPair();
  readonly stateDir: string;
  readonly #options: Partial<MachineOptions>;
  #machine: SandboxMachine | undefined;
  #client: GateClient | undefined;

  private constructor(stateDir: string, options: Partial<MachineOptions>) {
    this.stateDir = stateDir;
    this.#options = options;
  }

  static async start(options: Partial<MachineOptions> = {}): Promise<MachineUnderTest> {
    const under = new MachineUnderTest(await mkdtemp(join(tmpdir(), 'fleetbot-machine-')), options);
    await under.#start();
    return under;
  }

  get machine(): SandboxMachine {
    if (this.#machine === undefined) throw new Error('the machine is not started');
    return this.#machine;
  }

  get client(): GateClient {
    if (this.#client === undefined) throw new Error('the client is not connected');
    return this.#client;
  }

  async restart(): Promise<void> {
    await this.#stop();
    await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await rm(this.stateDir, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    this.#machine = await startMachine({
      name: machineName,
      host: '127.0.0.1',
      port: 0,
      authorizedKey: this.key.publicKey,
      stateDir: this.stateDir,
      policy: new Map([['disk', [['df', '-PkT']]]]),
      stopGraceMs: 2_000,
      redact: (text) => text,
      log: pino({ level: 'silent' }),
      ...this.#options,
    });
    this.#client = await GateClient.connect(this.#machine.port, this.key.privateKey);
  }

  async #stop(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    await this.#machine?.close();
    this.#client = undefined;
    this.#machine = undefined;
  }
}
