import type { EdgeMachine } from '../../../support/edge-machines/edge-machine.ts';

/** A certificate of a site, as the fleet files of these tests name it. */
export const certificate = '/etc/pki/site.crt';
/** A small disk of its own. */
export const dataDisk = '/srv/data';

const fakeTime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/** Gives the machine what a healthy one has: a kernel that says something, a certificate that lasts. */
export async function furnish(machine: EdgeMachine): Promise<void> {
  await machine.kernelSays(6, 'Linux version 6.12, as machines have it');
  await certify(machine, 90);
}

export async function certify(machine: EdgeMachine, days: number): Promise<void> {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    '/etc/pki/site.key',
  ];
  const names = ['-out', certificate, '-subj', '/CN=site', '-days', String(days)];
  await machine.run(['mkdir', '-p', '/etc/pki']);
  await machine.run(['openssl', 'req', '-x509', ...key, ...names]);
}

/** Fills the file system of a folder to the last block, root's reserve too. */
export async function fill(machine: EdgeMachine, folder: string): Promise<void> {
  const script = `n=$(df --output=avail -k "$1" | tail -n1); fallocate -l "$n"K "$1/filler"
    dd if=/dev/zero of="$1/filler-to-the-last-block" bs=4k 2>/dev/null || true`;
  await machine.run(['sh', '-c', script, 'sh', folder]);
}

export async function makeRoom(machine: EdgeMachine, folder: string): Promise<void> {
  await machine.run(['rm', '-f', `${folder}/filler`, `${folder}/filler-to-the-last-block`]);
}

/** The machine's memory is nearly gone, as its programs see it: the memory itself is this computer's. */
export async function useUpMemory(machine: EdgeMachine): Promise<void> {
  const script = `sed 's/^MemAvailable:.*/MemAvailable: 400000 kB/; s/^MemFree:.*/MemFree: 200000 kB/' /proc/meminfo > /run/meminfo
    mount --bind /run/meminfo /proc/meminfo`;
  await machine.run(['sh', '-c', script]);
}

export async function failService(machine: EdgeMachine): Promise<void> {
  await machine.run(['systemd-run', '--quiet', '--unit=broken', 'false']);
}

export async function logErrors(machine: EdgeMachine): Promise<void> {
  const lines = Array.from({ length: 7 }, () => 'payment failed: connection refused\n').join('');
  await machine.run(['systemd-cat', '--identifier=payments', '--priority=err'], lines);
}

/** Its clock goes two hours ahead for every program that starts from now on, or is right again. */
export async function setClockWrong(machine: EdgeMachine, wrong: boolean): Promise<void> {
  await machine.run(
    wrong
      ? ['sh', '-c', `echo +2h > /etc/faketimerc; echo ${fakeTime} > /etc/ld.so.preload`]
      : ['rm', '-f', '/etc/ld.so.preload', '/etc/faketimerc'],
  );
}
