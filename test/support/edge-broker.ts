import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export const brokerFolder = join(import.meta.dirname, '../../edge/broker');

const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']);

/** Whether the broker can run here; in CI it must, so that its tests cannot be left out unseen. */
export const hasPython = python.status === 0 || process.env.CI !== undefined;

/** How long a test waits for a condition, however busy the computer is. */
export const patience = { timeout: 15_000 };

/** A machine's policy as `fleetbot edge policy` prints it, with these parts of its own. */
export interface PolicyParts {
  readonly checks?: Readonly<Record<string, { commands: readonly (readonly string[])[]; root?: boolean }>>;
  readonly commands?: readonly unknown[];
  readonly readable?: readonly string[];
  readonly secret?: readonly string[];
  readonly limits?: Readonly<Record<string, number>>;
  readonly actions?: Readonly<Record<string, unknown>>;
}

/** A listed command of the agent's: literal words, and `{path}` and `{word*}` as they stand. */
export function listed(pattern: string, root = false): unknown {
  const words = pattern.split(' ').map((word) => {
    if (word === '{path}') return { match: '^/[^\\u0000]*$', min: 1, max: 1, path: true };
    if (word === '{word*}') return { match: '^[A-Za-z0-9=.-]+$', min: 0, max: 4 };
    return { match: `^${word}$`, min: 1, max: 1 };
  });
  return { pattern, root, words };
}

/** A machine's files for one broker, in a folder of their own. */
export class BrokerMachine {
  readonly folder = mkdtempSync(join(tmpdir(), 'broker-'));
  readonly name = 'm1';
  readonly policyFile = join(this.folder, 'policy.json');
  readonly activationFile = join(this.folder, 'activation.json');
  /** Where the fake podman keeps its secrets, and every argument vector it was called with. */
  readonly secretFile = join(this.folder, 'openclaw-gateway-token');
  readonly podmanLog = join(this.folder, 'podman.log');
  /** The state of the agent's unit. */
  readonly unitFile = join(this.folder, 'unit-state');
  #child: ChildProcess | undefined;
  #printed = '';

  /** The broker's journal so far. */
  get printed(): string {
    return this.#printed;
  }

  get child(): ChildProcess {
    if (this.#child === undefined) throw new Error('the broker was not started');
    return this.#child;
  }

  async prepare(policy: PolicyParts = {}, subordinateUids = '700000000:65536'): Promise<void> {
    await mkdir(join(this.folder, 'bin'));
    await this.installed();
    await writeFile(join(this.folder, 'subuid'), `${userInfo().username}:${subordinateUids}\n`);
    await this.writePolicy(policy);
    await this.fakePrograms();
  }

  /** Writes what setup wrote down about the machine. */
  async installed({ quadlet = true } = {}): Promise<void> {
    const { username } = userInfo();
    await this.write('machine.json', {
      name: this.name,
      gatewayPort: 18789,
      stateDir: this.folder,
      runDir: this.folder,
      agentUser: username,
      readUser: username,
      image: 'localhost/agent@sha256:00',
      plugin: '1.0.0',
      traces: true,
      quadlet,
    });
  }

  /** A unit that starts and stops at once, and a podman that keeps one secret. */
  async fakePrograms(): Promise<void> {
    await this.unit('inactive');
    await this.program(
      'systemctl',
      `case "$2" in
        show) read -r state < ${this.unitFile}; echo "ActiveState=$state";;
        start) echo active > ${this.unitFile}.new; /bin/mv ${this.unitFile}.new ${this.unitFile};;
        stop) echo inactive > ${this.unitFile}.new; /bin/mv ${this.unitFile}.new ${this.unitFile};;
      esac`,
    );
    await this.program(
      'podman',
      `echo "$@" >> ${this.podmanLog}
      if [ "$2" = create ]; then
        [ ! -e ${this.folder}/"$3" ] || { echo "Error: secret name in use" >&2; exit 125; }
        /bin/cat > ${this.folder}/"$3"
      else /bin/rm ${this.folder}/"$3"
      fi`,
    );
  }

  /** Puts the agent's unit into a state. */
  async unit(state: string): Promise<void> {
    await writeFile(`${this.unitFile}.test`, state);
    await rename(`${this.unitFile}.test`, this.unitFile);
  }

  async write(name: string, content: unknown): Promise<void> {
    await writeFile(join(this.folder, name), `${JSON.stringify(content, null, 2)}\n`);
  }

  async writePolicy({
    checks = {},
    commands = [],
    readable = [],
    secret = [],
    limits,
    actions,
  }: PolicyParts) {
    await this.write('policy.json', {
      version: 1,
      machine: this.name,
      checks,
      agent: { commands, readable, secret },
      limits: {
        commandTimeoutSeconds: 5,
        outputBytes: 131_072,
        agentOutputBytes: 32_768,
        concurrentCommands: 2,
        ...limits,
      },
      ...(actions && { actions }),
    });
  }

  /** A program that the broker finds by this name. */
  async program(name: string, script: string): Promise<void> {
    const path = join(this.folder, 'bin', name);
    const lines = name === 'systemctl' ? `${this.#actionUnits()}\n${script}` : script;
    await writeFile(path, `#!/bin/sh\n${lines}\n`);
    await chmod(path, 0o755);
  }

  /** What the broker calls for an action: a transient unit is a process of its own, which waits while it is held. */
  async actionPrograms(): Promise<void> {
    await this.program('ssh-keygen', 'exec /usr/bin/ssh-keygen "$@"');
    await this.program('sh', 'exec /bin/sh "$@"');
    await this.program(
      'systemd-run',
      `[ ! -e ${this.folder}/no-units ] || { echo "Failed to start transient service unit" >&2; exit 1; }
      for word; do
        shift
        case "$word" in --unit=*) unit=\${word#--unit=};; --) break;; esac
      done
      echo "$unit" >> ${this.folder}/units
      /usr/bin/setsid -f /bin/sh -c '
        echo $$ > "$0.new"; /bin/mv "$0.new" "$0"
        while [ -e ${this.folder}/hold ]; do /bin/sleep 0.02; done
        exec "$@"' "${this.folder}/$unit.pid" "$@" < /dev/null > ${this.folder}/runner.log 2>&1
      until [ -s "${this.folder}/$unit.pid" ]; do /bin/sleep 0.02; done
      while [ -e ${this.folder}/slow-units ]; do /bin/sleep 0.02; done
      [ ! -e ${this.folder}/no-answer ] || { echo "Connection timed out" >&2; exit 1; }`,
    );
  }

  /** As systemctl tells of the units of actions and ends them. */
  #actionUnits(): string {
    return `for unit; do :; done
    lives() { case "$(/bin/cat "/proc/$pid/stat" 2> /dev/null)" in ''|*') Z '*) return 1;; esac; }
    case "$unit" in fleetbot-action-*)
      pid=none; [ ! -s "${this.folder}/$unit.pid" ] || read -r pid < "${this.folder}/$unit.pid"
      case "$1" in
        show)
          echo asked >> ${this.folder}/shown; while [ -e ${this.folder}/slow-show ]; do /bin/sleep 0.02; done
          if lives; then echo ActiveState=active; else echo ActiveState=inactive; fi;;
        stop) if lives; then kill "$pid"; fi; while lives; do /bin/sleep 0.02; done;;
      esac
      exit;;
    esac`;
  }

  /** Starts the broker; resolves when it answers. */
  async start(): Promise<void> {
    const listen = (name: string): string[] => ['--listen', `${name}=${this.folder}/${name}.sock`];
    await this.startWith('python3', [
      ...['-I', '-S', brokerFolder, ...this.options()],
      ...[...listen('gate'), ...listen('agent')],
    ]);
  }

  /** Starts the broker by a command of the test's own, whose sockets stand where the others do. */
  async startWith(command: string, args: readonly string[]): Promise<void> {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      this.#printed += chunk;
    });
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the broker ended: ${this.#printed}`);
      const reply = await this.gate({ do: 'about' }).catch(() => undefined);
      if (reply !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  options(): string[] {
    const file = (name: string): string => join(this.folder, name);
    return [
      ...['--machine', file('machine.json'), '--policy', this.policyFile, '--subuid', file('subuid')],
      ...['--journal', file('no-journal'), '--programs', file('bin')],
      ...['--capsule-signers', file('capsule-signers'), '--actions', file('actions')],
    ];
  }

  /** Ends the broker and resolves with how it ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  }

  async remove(): Promise<void> {
    if (this.#child !== undefined) await this.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  async gate(call: unknown): Promise<unknown> {
    return JSON.parse(await this.send('gate', `${JSON.stringify(call)}\n`));
  }

  async agent(call: unknown): Promise<unknown> {
    return JSON.parse(await this.send('agent', `${JSON.stringify(call)}\n`));
  }

  /** Sends bytes as they are and resolves with all that comes back. */
  async send(door: 'gate' | 'agent', bytes: string): Promise<string> {
    const socket = createConnection(join(this.folder, `${door}.sock`));
    await once(socket, 'connect');
    socket.write(bytes);
    return text(socket);
  }

  async activation(): Promise<unknown> {
    return JSON.parse(await readFile(this.activationFile, 'utf8'));
  }
}
