import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { uptime } from 'node:os';
import { dirname, join } from 'node:path';
import { baseImage } from './base-image.ts';
import { besideProcess, MachineCgroup } from './cgroup.ts';
import { requireHostTools } from './host-tools.ts';
import { createNetwork, inNetwork, type MachineNetwork } from './network.ts';
import { Nspawn } from './nspawn.ts';
import type { Suite } from './recipe.ts';
import { attemptProgram, type Finished, runProgram } from './run-program.ts';
import { claimSlots, releaseSlot, type Slot } from './slot.ts';
import { until } from './until.ts';

const bootTimeoutMs = 60_000;
const sshPort = 22;

export interface EdgeMachineOptions {
  readonly name: string;
  /** Of Debian; 13 unless told. */
  readonly suite?: Suite;
  /** Disks beside that of the system: mount point → size. */
  readonly disksMiB?: Readonly<Record<string, number>>;
  /** Folders of this computer → where they are in the machine, to be read only. */
  readonly readOnly?: Readonly<Record<string, string>>;
}

/** Starts fresh machines at once. Resolves when the SSH server of each answers. */
export async function startEdgeMachines(machines: readonly EdgeMachineOptions[]): Promise<EdgeMachine[]> {
  requireHostTools();
  // One after the other: the first of a suite makes its image.
  for (const { suite } of machines) await baseImage(suite);
  const slots = await claimSlots(machines.length);
  const started = await Promise.allSettled(
    slots.map((slot, index) => startEdgeMachine(slot, machines[index] ?? { name: slot.name })),
  );
  const failure = started.find((each) => each.status === 'rejected');
  if (!failure) return started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  for (const slot of slots) await releaseSlot(slot);
  throw failure.reason;
}

async function startEdgeMachine(slot: Slot, options: EdgeMachineOptions): Promise<EdgeMachine> {
  const network = await createNetwork(slot.index);
  const cgroup = new MachineCgroup(slot.name);
  await cgroup.create();
  await makeSystemDisk(await baseImage(options.suite), slot, options.name);
  const writable: Record<string, string> = {};
  for (const [number, [mount, sizeMiB]] of Object.entries(options.disksMiB ?? {}).entries())
    writable[await makeDisk(join(slot.folder, `disk-${number}`), sizeMiB)] = mount;
  const machine = new EdgeMachine({ ...options, slot, network, cgroup, writable });
  await machine.boot();
  return machine;
}

async function makeSystemDisk(image: string, slot: Slot, name: string): Promise<void> {
  const root = join(slot.folder, 'root');
  const disk = join(slot.folder, 'disk');
  await runProgram(['cp', '--sparse=always', '--reflink=auto', image, disk]);
  mkdirSync(root);
  await runProgram(['mount', '-o', 'loop', disk, root]);
  writeFileSync(join(root, 'etc/hostname'), `${name}\n`);
  appendFileSync(join(root, 'etc/hosts'), `127.0.1.1 ${name}\n`);
  // An empty one would make systemd think that the machine boots for the first time.
  writeFileSync(join(root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  await runProgram(['ssh-keygen', '-q', '-A', '-f', root]);
}

/** A file system of its own; resolves with where it is mounted. */
async function makeDisk(path: string, sizeMiB: number): Promise<string> {
  const folder = `${path}.mount`;
  mkdirSync(folder);
  await runProgram(['truncate', '-s', `${sizeMiB}M`, path]);
  await runProgram(['mkfs.ext4', '-q', path]);
  await runProgram(['mount', '-o', 'loop', path, folder]);
  return folder;
}

interface Parts extends EdgeMachineOptions {
  readonly slot: Slot;
  readonly network: MachineNetwork;
  readonly cgroup: MachineCgroup;
  readonly writable: Readonly<Record<string, string>>;
}

/** A real machine: systemd as process 1, OpenSSH, podman, a disk and a network of its own. */
export class EdgeMachine implements AsyncDisposable {
  readonly name: string;
  readonly network: MachineNetwork;
  readonly #parts: Parts;
  /** Ends its processes when this process ends, however that happens. */
  readonly #watcher: ChildProcess;
  #nspawn: Nspawn | undefined;
  #leader = 0;
  #kernelMessages = 0;

  constructor(parts: Parts) {
    this.name = parts.name;
    this.network = parts.network;
    this.#parts = parts;
    this.#watcher = spawn('sh', ['-c', `read -r _; ${parts.cgroup.killCommand}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
  }

  /** Its public host key as it is now, `TYPE BASE64`. */
  get hostKey(): string {
    const [type, key] = readFileSync(this.path('/etc/ssh/ssh_host_ed25519_key.pub'), 'utf8').split(' ');
    return `${type} ${key?.trim()}`;
  }

  /** Where a file of its disk is on this computer, also while it is down. Not for what it keeps in memory. */
  path(file: string): string {
    return join(this.#parts.slot.folder, 'root', file);
  }

  /** Runs a program in it as root, to its end, whatever that is. */
  attempt(argv: readonly string[], input = ''): Promise<Finished> {
    return attemptProgram(this.#inside(argv), input);
  }

  /** Runs a program in it as root; resolves with its output. @throws Error with what it printed when it fails */
  run(argv: readonly string[], input = ''): Promise<string> {
    return runProgram(this.#inside(argv), input);
  }

  /** Writes a file on its disk. */
  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  /** Copies a file or folder of this computer to a path on its disk. */
  copyIn(from: string, to: string): void {
    mkdirSync(dirname(this.path(to)), { recursive: true });
    cpSync(from, this.path(to), { recursive: true });
  }

  /** Starts a program of this computer in the machine's network; it ends with the machine at the latest. */
  spawnInNetwork(argv: readonly string[]): ChildProcess {
    const { cgroup, slot } = this.#parts;
    const [program = '', ...args] = cgroup.wrap('host', inNetwork(slot.index, argv));
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /**
   * Its kernel says something, at a level of syslog(3). Machines share this computer's kernel, whose log they do not
   * see: each has a pipe in its place, which its journal reads as it would read the kernel's.
   */
  async kernelSays(level: number, message: string): Promise<void> {
    // Held open meanwhile: systemd itself writes to it and would wait for a reader.
    const open =
      '[ -p /dev/kmsg ] || { mkfifo /dev/kmsg && exec 3<>/dev/kmsg && systemctl restart systemd-journald; }';
    await this.run(['sh', '-c', open]);
    this.#kernelMessages += 1;
    const sinceBootUs = Math.round(uptime() * 1e6);
    const record = `${level},${this.#kernelMessages},${sinceBootUs},-;${message}\n`;
    await this.run(['sh', '-c', 'cat > /dev/kmsg'], record);
  }

  /** Switches it on. Resolves when its SSH server answers. */
  async boot(): Promise<void> {
    const nspawn = Nspawn.start({
      ...{ slot: this.#parts.slot, name: this.name, cgroup: this.#parts.cgroup, network: this.network },
      ...{ readOnly: this.#parts.readOnly ?? {}, writable: this.#parts.writable },
    });
    this.#nspawn = nspawn;
    await until(() => answersSsh(this.network.address), bootTimeoutMs);
    this.#leader = await nspawn.leader();
    // nspawn's own, on a disk of this computer.
    await this.run(['umount', '/run/host/os-release']);
  }

  /** As a person does it at the machine. Resolves when its SSH server answers again. */
  async reboot(): Promise<void> {
    await this.run(['systemctl', 'reboot']);
    const again = await this.#nspawn?.ended;
    if (!again) throw new Error(`${this.name} went down and asked for no reboot`);
    await this.boot();
  }

  /** Pulls the plug. Resolves when nothing of it is left running; `boot` switches it on again. */
  async kill(): Promise<void> {
    process.kill(this.#leader, 'SIGKILL');
    await this.#nspawn?.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#watcher, 'exit');
    this.#watcher.stdin?.end();
    await gone;
    await releaseSlot(this.#parts.slot);
  }

  #inside(argv: readonly string[]): string[] {
    const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
    const environment = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8'];
    const enter = ['nsenter', '--target', String(this.#leader), ...namespaces, '--root', '--wd'];
    return besideProcess(this.#leader, [...enter, ...environment, ...argv]);
  }
}

async function answersSsh(host: string): Promise<void> {
  const socket = connect({ host, port: sshPort, timeout: 1_000 });
  try {
    const [banner] = await once(socket, 'data', { signal: AbortSignal.timeout(2_000) });
    if (!String(banner).startsWith('SSH-2.0-')) throw new Error(`unexpected: ${banner}`);
  } finally {
    socket.destroy();
  }
}
