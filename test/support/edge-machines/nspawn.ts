import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineCgroup } from './cgroup.ts';
import type { MachineNetwork } from './network.ts';
import { attemptProgram } from './run-program.ts';
import type { Slot } from './slot.ts';

/** systemd-nspawn ends with this code when the machine asked for a reboot. */
const rebootExitCode = 133;

export interface NspawnOptions {
  readonly slot: Slot;
  readonly name: string;
  readonly cgroup: MachineCgroup;
  readonly network: MachineNetwork;
  /** Folders of this computer → where they are in the machine, to be read only. */
  readonly readOnly: Readonly<Record<string, string>>;
  /** Folders of this computer → where they are in the machine. */
  readonly writable: Readonly<Record<string, string>>;
}

/** A machine's systemd and everything under it, from its start to its end. */
export class Nspawn {
  readonly #child: ChildProcess;
  /** Resolves with whether the machine asked for a reboot. */
  readonly ended: Promise<boolean>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = once(child, 'exit').then(([code]) => code === rebootExitCode);
  }

  static start(options: NspawnOptions): Nspawn {
    const { slot, name, cgroup, network } = options;
    const log = openSync(join(slot.folder, 'console.log'), 'a');
    const binds = [
      ...Object.entries(options.readOnly).map(([from, to]) => `--bind-ro=${from}:${to}`),
      ...Object.entries(options.writable).map(([from, to]) => `--bind=${from}:${to}`),
    ];
    const argv = cgroup.wrap('machine', [
      ...['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--resolv-conf=off', '--boot'],
      // What podman needs of the kernel.
      ...['--system-call-filter=add_key keyctl bpf', '--bind=/dev/net/tun'],
      ...binds,
      `--network-namespace-path=/run/netns/${network.namespace}`,
      ...['-D', join(slot.folder, 'root'), '-M', name, `--hostname=${name}`],
    ]);
    const [program = '', ...args] = argv;
    const env = { PATH: process.env.PATH, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' };
    return new Nspawn(spawn(program, args, { env, stdio: ['ignore', log, log], detached: true }));
  }

  /** The machine's process 1, as this computer sees it. @throws Error before there is one */
  async leader(): Promise<number> {
    const { stdout } = await attemptProgram(['pgrep', '-P', String(this.#child.pid)]);
    const leader = Number.parseInt(stdout, 10);
    if (!Number.isInteger(leader)) throw new Error('the machine has no process yet');
    return leader;
  }
}
