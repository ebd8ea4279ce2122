import type { CommandOutput } from '../../src/fleet/evidence.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import type { Machine } from '../../src/fleet/machine.ts';

/** A well-formed Ed25519 host key, different for every number. */
export function hostKey(number: number): string {
  const type = Buffer.from('ssh-ed25519');
  const key = Buffer.alloc(32);
  key.writeUInt32BE(number);
  const field = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  return `ssh-ed25519 ${Buffer.concat([field(type), field(key)]).toString('base64')}`;
}

/** A fleet of one machine, rhel-01, with these further lines of YAML under it (already indented by four). */
export function fleetOfOne(more = '', access = ''): Fleet {
  return loadFleet(
    `version: 1\nmachines:\n  - name: rhel-01\n    address: rhel-01.test\n    hostKey: ${hostKey(1)}\n${more}\n${access}`,
    'fleet.yaml',
  );
}

export function machineWith(more = ''): Machine {
  const machine = fleetOfOne(more).machines.get('rhel-01');
  if (machine === undefined) throw new Error('the fixture has lost its machine');
  return machine;
}

export function output(argv: readonly string[], changes: Partial<CommandOutput> = {}): CommandOutput {
  return {
    argv: [...argv],
    exitCode: 0,
    stdout: '',
    stderr: '',
    truncated: false,
    durationMs: 5,
    ...changes,
  };
}

/** Milliseconds of this thread's processor time that the work takes: what others do meanwhile does not count. */
export function cpuMsOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
