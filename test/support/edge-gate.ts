import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ServerChannel } from 'ssh2';
import { freePort } from '../../src/sandbox/free-port.ts';
import { type AgentProcess, BrokerStandIn } from './broker-stand-in.ts';
import type { GateResult } from './gate-client.ts';
import { type JournalStandIn, startJournal } from './journal-stand-in.ts';
import { type FaultyServer, startFaultyServer } from './ssh-server.ts';

/** What sshd runs on a machine; where it has none, the first on the path. */
export const python = ['/usr/bin/python3', 'python3'].find(
  (path) => spawnSync(path, ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0,
);

/** CI must not skip them: there the tests fail without Python. */
export const skipsPython = python === undefined && process.env.CI === undefined;
if (skipsPython) process.stderr.write('Tests of the gate are skipped: they need python3, 3.9 or newer.\n');

/** How long a test waits for what a gate does: on a busy computer a process alone takes a second to start. */
export const patiently = { timeout: 15_000 };

export const gateFolder = fileURLToPath(new URL('../../edge/gate', import.meta.url));

/** The gate as it is installed on machines, on books of its own, in front of a broker stand-in. */
export class EdgeGate implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly broker: BrokerStandIn;

  private constructor(folder: string, port: number, broker: BrokerStandIn) {
    this.folder = folder;
    this.port = port;
    this.broker = broker;
  }

  static async start(
    options: {
      readonly agent?: (port: number) => AgentProcess;
      readonly port?: number;
      readonly agentUser?: string;
    } = {},
  ): Promise<EdgeGate> {
    const folder = await mkdtemp(join(tmpdir(), 'fleetbot-gate-'));
    const port = options.port ?? (await freePort());
    await mkdir(join(folder, 'gate'), { mode: 0o700 });
    const machine = {
      ...{ name: 'test-01', gatewayPort: port, stateDir: folder, runDir: folder },
      ...{ agentUser: options.agentUser ?? userInfo().username, readUser: 'nobody' },
      ...{ image: 'agent@sha256:1', plugin: '1.0.0', traces: true },
    };
    await writeFile(join(folder, 'machine.json'), JSON.stringify(machine));
    const broker = await BrokerStandIn.start(join(folder, 'gate.sock'), options.agent?.(port));
    return new EdgeGate(folder, port, broker);
  }

  get books(): string {
    return join(this.folder, 'gate', 'state.json');
  }

  get command(): string[] {
    return gateCommand(this.folder);
  }

  spawn(line: string, command: readonly string[] = this.command): ChildProcessWithoutNullStreams {
    return spawnGate(line, command);
  }

  /** One request without SSH, to its end. */
  async run(line: string, stdin = '', command?: readonly string[]): Promise<GateResult> {
    const child = this.spawn(line, command);
    child.stdin.on('error', () => {}).end(stdin);
    const closed = once(child, 'close');
    const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    return { exitCode, stdout, stderr };
  }

  /** One request that has to succeed: its reply. */
  async reply(line: string): Promise<unknown> {
    const { exitCode, stdout, stderr } = await this.run(line);
    if (exitCode !== 0 || stderr !== '') throw new Error(`${line}: exit code ${exitCode}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** One request that has to be refused: its refusal. */
  async refusal(line: string, stdin = ''): Promise<unknown> {
    const { exitCode, stdout, stderr } = await this.run(line, stdin);
    if (exitCode !== 1 || stdout !== '') throw new Error(`${line}: exit code ${exitCode}: ${stdout}`);
    return JSON.parse(stderr);
  }

  /** Writes the books anew, as no gate would. */
  async rewrite(change: (books: string) => string): Promise<void> {
    await writeFile(this.books, change(await readFile(this.books, 'utf8')));
  }

  /** The journal that its calls are told to. */
  async journal(): Promise<JournalStandIn> {
    return await startJournal(python ?? 'python3', join(this.folder, 'journal'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The forced command, as sshd runs it, on a machine whose files are all in one folder. */
function gateCommand(folder: string): string[] {
  const options = ['--machine-file', join(folder, 'machine.json'), '--journal', join(folder, 'journal')];
  return [python ?? 'python3', '-I', '-S', gateFolder, ...options];
}

/** An SSH server with a machine's gate behind it, which lets every key in. */
export async function listenForGate(folder: string): Promise<FaultyServer> {
  const command = gateCommand(folder);
  return await startFaultyServer({ onExec: (line, channel) => attach(channel, spawnGate(line, command)) });
}

function spawnGate(line: string, command: readonly string[]): ChildProcessWithoutNullStreams {
  const [program = '', ...args] = command;
  const env = { SSH_ORIGINAL_COMMAND: line, SSH_CONNECTION: '192.0.2.7 50000 192.0.2.1 22' };
  return spawn(program, args, { env });
}

/** A channel's streams are the process's, and its exit code the channel's, as sshd does it. */
function attach(channel: ServerChannel, child: ChildProcessWithoutNullStreams): void {
  channel.pipe(child.stdin).on('error', () => {});
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.once('close', (exitCode) => {
    channel.exit(exitCode ?? 255);
    channel.end();
  });
  channel.once('close', () => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  });
}
