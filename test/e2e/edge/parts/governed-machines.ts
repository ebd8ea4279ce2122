import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { builtInChecks } from '../../../../src/fleet/checks/index.ts';
import { type KeyPair, newKeyPair } from '../../../../src/sandbox/key-pair.ts';
import { workspace } from '../../../../src/sandbox/workspace.ts';
import { type EdgeImages, edgeImages } from '../../../support/edge-images/edge-images.ts';
import {
  type EdgeMachine,
  type EdgeMachineOptions,
  startEdgeMachines,
} from '../../../support/edge-machines/edge-machine.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../../support/otlp-receiver.ts';
import { collectorBinary } from '../../parts/collector-binary.ts';
import { type GovernOptions, govern, imageOwner, imageStore } from './govern.ts';

/** A machine to be set up, and what its entry in the fleet file says beyond where it is. */
export interface GovernedSpec extends Pick<EdgeMachineOptions, 'name' | 'suite' | 'disksMiB'> {
  readonly entry?: Readonly<Record<string, unknown>>;
  /** More flags of setup-edge.sh. */
  readonly flags?: readonly string[];
}

/** Long enough for three gateways that start at once on two busy processors. */
const limits = {
  connectTimeoutMs: 3_000,
  evidenceTimeoutMs: 60_000,
  readyTimeoutMs: 180_000,
  stopTimeoutMs: 60_000,
};

/** Fresh machines on which setup-edge.sh ran, and the centre's things. */
export interface GovernedMachines extends AsyncDisposable {
  /** For whatever else a test keeps. */
  readonly folder: string;
  readonly key: KeyPair;
  readonly keyFile: string;
  readonly fleetFile: string;
  readonly images: EdgeImages;
  /** What comes out of the machines' collectors. */
  readonly spans: OtlpReceiver;
  /** How long the machines took to boot, and then the setup of each. */
  readonly tookMs: { readonly boot: number; readonly setup: ReadonlyMap<string, number> };
  /** What setup said on each. */
  readonly said: ReadonlyMap<string, string>;
  machine(name: string): EdgeMachine;
  /** How a machine is set up again. */
  options(name: string): GovernOptions;
}

/**
 * Starts them at once and sets them up at once. `uplinkPort` of this computer takes their spans in the place of the
 * receiver; `fleet` is what else is in the fleet file. @throws Error with what setup printed, where it failed
 */
export async function startGovernedMachines(
  specs: readonly GovernedSpec[],
  { uplinkPort, fleet = {} }: { readonly uplinkPort?: number; readonly fleet?: object } = {},
): Promise<GovernedMachines> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-edge-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const key = newKeyPair();
  const keyFile = join(folder, 'id_ed25519');
  writeFileSync(keyFile, key.privateKey, { mode: 0o600 });
  const images = await edgeImages({ owner: imageOwner, collectorProgram: collectorBinary() });
  const spans = await startOtlpReceiver('0.0.0.0');
  stack.defer(() => spans.close());

  const bootedAt = performance.now();
  const readOnly = { [images.store]: imageStore };
  const machines = await startEdgeMachines(specs.map((spec) => ({ ...spec, readOnly })));
  for (const machine of machines) stack.use(machine);
  const boot = performance.now() - bootedAt;

  const fleetFile = join(folder, 'fleet.yaml');
  const entries = machines.map((machine, index) => entryOf(machine, images, specs[index]?.entry));
  writeFileSync(fleetFile, stringify({ ...fleetOf(entries), ...fleet }));
  const options = (machine: EdgeMachine): GovernOptions => ({
    ...{ images, fleetFile, centreKey: key.publicKey },
    uplinkUrl: `http://${machine.network.hostAddress}:${uplinkPort ?? new URL(spans.url).port}`,
    flags: specs.find(({ name }) => name === machine.name)?.flags ?? [],
  });
  const setup = new Map<string, number>();
  const said = new Map<string, string>();
  await Promise.all(
    machines.map(async (machine) => {
      const startedAt = performance.now();
      const { exitCode, stdout, stderr } = await govern(machine, options(machine));
      if (exitCode !== 0)
        throw new Error(`setup of ${machine.name} ended with ${exitCode}: ${stdout}${stderr}`);
      setup.set(machine.name, performance.now() - startedAt);
      said.set(machine.name, stdout);
    }),
  );

  const all = stack.move();
  const find = (name: string) => {
    const machine = machines.find((each) => each.name === name);
    if (!machine) throw new RangeError(`there is no machine ${name}`);
    return machine;
  };
  return {
    ...{ folder, key, keyFile, fleetFile, images, spans, tookMs: { boot, setup }, said },
    machine: find,
    options: (name) => options(find(name)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function entryOf(machine: EdgeMachine, images: EdgeImages, entry: GovernedSpec['entry']): object {
  const { agent, ...rest } = { agent: {}, ...entry };
  return {
    ...{ name: machine.name, address: machine.network.address, hostKey: machine.hostKey },
    agent: { image: images.agent, ...(typeof agent === 'object' ? agent : {}) },
    ...rest,
  };
}

function fleetOf(machines: readonly object[]): object {
  return {
    version: 1,
    defaults: {
      channel: workspace.channel.id,
      limits,
      checks: builtInChecks.map(({ name }) => name),
    },
    machines,
    access: [{ people: [workspace.sre.id], machines: 'all', verbs: 'all' }],
  };
}
