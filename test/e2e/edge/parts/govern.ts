import { once } from 'node:events';
import { join } from 'node:path';
import type { EdgeImages } from '../../../support/edge-images/edge-images.ts';
import type { EdgeMachine } from '../../../support/edge-machines/edge-machine.ts';
import { modelFolder } from '../../../support/edge-machines/model-folder.ts';
import { type Finished, runProgram } from '../../../support/edge-machines/run-program.ts';

const repository = join(import.meta.dirname, '../../../..');
const model = join(repository, 'test/support/edge-machines/model-program.ts');
const storageConf = `[storage]
driver = "overlay"
[storage.options]
additionalimagestores = ["/var/lib/edge-images"]
`;

/** The first ordinary user of a fresh machine, which is the one that setup makes. */
export const imageOwner = { uid: 1_000, firstSubId: 100_000 } as const;

/** Where a machine sees the store of `edgeImages`: a machine without a registry finds its images there. */
export const imageStore = '/var/lib/edge-images';

/** What a machine is told at its setup. */
export interface GovernOptions {
  readonly images: EdgeImages;
  /** The fleet file, with the machine in it. */
  readonly fleetFile: string;
  /** The centre's public key. */
  readonly centreKey: string;
  /** Where its traces go, without /v1/traces. */
  readonly uplinkUrl: string;
  /** More flags of setup-edge.sh. */
  readonly flags?: readonly string[];
}

/** Prepares a fresh machine as an operator does, then runs setup-edge.sh on it. */
export async function govern(machine: EdgeMachine, options: GovernOptions): Promise<Finished> {
  machine.write('/etc/skel/.config/containers/storage.conf', storageConf);
  machine.copyIn(join(repository, 'edge'), '/root/edge');
  await renewPolicy(machine, options.fleetFile);
  machine.write('/root/centre.pub', `${options.centreKey} the centre\n`);
  machine.write('/root/uplink-password', `of-${machine.name}\n`);
  await startModel(machine);
  return await setUp(machine, flagsFor(machine, options));
}

/** Runs setup-edge.sh there, with these flags. */
export function setUp(machine: EdgeMachine, flags: readonly string[]): Promise<Finished> {
  return machine.attempt(['/root/edge/scripts/setup-edge.sh', '--non-interactive', ...flags]);
}

/** What setup is told on a machine that is new. */
export function flagsFor(machine: EdgeMachine, options: GovernOptions): string[] {
  const { address, hostAddress } = machine.network;
  const { images, uplinkUrl } = options;
  return [
    ...['--name', machine.name, '--address', address, '--centre-key', '/root/centre.pub'],
    ...['--from', hostAddress, '--policy', '/root/policy.json', '--image', images.agent],
    ...['--collector-image', images.collector, '--uplink-url', uplinkUrl],
    ...['--uplink-password-file', '/root/uplink-password', '--model', 'stub'],
    ...(options.flags ?? []),
  ];
}

/** Brings the machine the policy that the centre makes of the fleet file. */
export async function renewPolicy(machine: EdgeMachine, fleetFile: string): Promise<void> {
  const main = join(repository, 'src/main.ts');
  const argv = [process.execPath, main, 'edge', 'policy', '--fleet', fleetFile, machine.name];
  machine.write('/root/policy.json', await runProgram(argv));
}

/** Starts the machine's model server, which the machine's reboots do not end. */
async function startModel(machine: EdgeMachine): Promise<void> {
  await machine.run(['mkdir', '-p', modelFolder]);
  const child = machine.spawnInNetwork([process.execPath, model, machine.path(modelFolder)]);
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the model server of ${machine.name} does not start`);
  });
  await Promise.race([once(child.stdout ?? child, 'data'), ended]);
  // It ends with the machine.
  ended.catch(() => {});
}
