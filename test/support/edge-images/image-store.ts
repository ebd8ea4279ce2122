import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImage } from '../edge-machines/base-image.ts';
import { runProgram } from '../edge-machines/run-program.ts';

/** Whose rootless podman can read a store: its files belong to the ids that the user has on a machine. */
export interface StoreOwner {
  readonly uid: number;
  /** The first of the user's 65,536 subordinate ids, of users and of groups. */
  readonly firstSubId: number;
}

/** Folders of this computer → where the commands see them. Only the store is written. */
export interface StoreInputs {
  readonly store: string;
  readonly readOnly: Readonly<Record<string, string>>;
}

const subIds = 65_536;
/** Without systemd, and with the store's folder. */
const podman = `
  podman() {
    command podman --root /store --runroot /run/owner --storage-driver overlay --cgroup-manager cgroupfs \\
      --events-backend none "$@"
  }`;

/**
 * Runs a script as the rootless owner of a store, on the disk of a fresh edge machine, of which nothing is kept.
 * In it, `podman` works on the store. Resolves with its output.
 */
export async function inStore(owner: StoreOwner, inputs: StoreInputs, script: string): Promise<string> {
  const disk = await mkdtemp(join(tmpdir(), 'fleetbot-image-store-'));
  await mkdir(inputs.store, { recursive: true });
  await runProgram(['mount', '-o', 'loop,ro', await baseImage(), disk]);
  try {
    return await runProgram([
      ...['systemd-nspawn', '--quiet', '--pipe', '--register=no', '--keep-unit', '--resolv-conf=off'],
      // Nothing is fetched: what is not here is an error at once.
      ...['--private-network', '--volatile=overlay', '-D', disk, '-M', 'image-store'],
      ...['--bind=/dev/net/tun', `--bind=${inputs.store}:/store`],
      ...Object.entries(inputs.readOnly).map(([from, to]) => `--bind-ro=${from}:${to}`),
      ...['sh', '-euc', asOwner(owner), 'sh', `${podman}${script}`],
    ]);
  } finally {
    await runProgram(['umount', disk]);
    await rm(disk, { recursive: true });
  }
}

function asOwner({ uid, firstSubId }: StoreOwner): string {
  return `
    useradd --create-home --uid ${uid} owner
    echo owner:${firstSubId}:${subIds} | tee /etc/subuid > /etc/subgid
    chown owner /store
    mkdir -m 700 /run/owner
    chown owner /run/owner
    cd /
    export HOME=/home/owner USER=owner XDG_RUNTIME_DIR=/run/owner PODMAN_IGNORE_CGROUPSV1_WARNING=1
    exec setpriv --reuid owner --regid owner --clear-groups sh -euc "$1"`;
}
