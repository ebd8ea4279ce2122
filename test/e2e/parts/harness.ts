import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { workspace } from '../../../src/sandbox/workspace.ts';
import { Centre, type CentreOptions, type CentreParts, startCentre } from './centre.ts';
import { type MachineUnderTest, startMachineUnderTest } from './machine-under-test.ts';

/** A machine of the harness: how its agent behaves, and what its entry in the fleet file says beyond that. */
export interface MachineSpec {
  readonly name: string;
  /** Argument vector of its agent; the sandbox agent by default. */
  readonly agentCommand?: readonly string[];
  readonly runtimeMaxMs?: number;
  readonly entry?: Readonly<Record<string, unknown>>;
}

/** The fleet file as an object, to be changed by a test. */
export interface FleetText {
  readonly machines: readonly Readonly<Record<string, unknown>>[];
  readonly [part: string]: unknown;
}

/** Short, so that what fails fails soon; long enough for two busy processors. */
const limits = {
  connectTimeoutMs: 2_000,
  statusTimeoutMs: 4_000,
  evidenceTimeoutMs: 20_000,
  startTimeoutMs: 6_000,
  readyTimeoutMs: 15_000,
  taskTimeoutMs: 60_000,
  abortTimeoutMs: 1_000,
  stopTimeoutMs: 15_000,
};

/** What a harness has beside its machines. */
export interface HarnessOptions extends Pick<CentreOptions, 'approvalKeys' | 'pagersFile'> {
  /** What else stands in the fleet file. */
  readonly fleet?: Readonly<Record<string, unknown>>;
}

/** Starts Redis, a workspace, machines and fleetbot, all real, each to be broken by a test. */
export async function startHarness(
  machines: readonly MachineSpec[],
  { fleet: more, ...options }: HarnessOptions = {},
): Promise<Harness> {
  await using parts = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-e2e-'));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const subfolder = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  const key = newKeyPair();
  const keyFile = join(folder, 'id_ed25519');
  writeFileSync(keyFile, key.privateKey, { mode: 0o600 });
  const fleetFile = join(folder, 'fleet.yaml');

  const started = new Map<string, MachineUnderTest>();
  for (const spec of machines) {
    const machine = await startMachineUnderTest({ ...spec, key, fleetFile, folder: subfolder(spec.name) });
    parts.use(machine);
    started.set(spec.name, machine);
  }
  const fleet: FleetText = {
    version: 1,
    defaults: {
      channel: workspace.channel.id,
      checks: ['disk'],
      limits,
      // Whatever this computer's disks look like, they are ok.
      expect: {
        disk: {
          ...{ warnUsedPercent: 99.9, criticalUsedPercent: 100 },
          ...{ warnInodesPercent: 99.9, criticalInodesPercent: 100 },
        },
      },
    },
    machines: machines.map(({ name, entry }) => ({
      name,
      address: '127.0.0.1',
      ssh: { port: started.get(name)?.link.port },
      hostKey: started.get(name)?.hostKey,
      ...entry,
    })),
    access: [{ people: [workspace.sre.id], machines: 'all', verbs: 'all' }],
    ...more,
  };
  writeFileSync(fleetFile, stringify(fleet));
  for (const machine of started.values()) machine.renewPolicy();

  const harness = await startCentre(
    { folder, fleetFile, keyFile, ...options },
    parts,
    (centre) => new Harness(centre, fleet, started),
  );
  harness.owns(parts.move());
  return harness;
}

/** A running fleetbot with everything around it. */
export class Harness extends Centre {
  readonly fleet: FleetText;
  readonly #machines: ReadonlyMap<string, MachineUnderTest>;

  constructor(centre: CentreParts, fleet: FleetText, machines: ReadonlyMap<string, MachineUnderTest>) {
    super(centre);
    this.fleet = fleet;
    this.#machines = machines;
  }

  machine(name: string): MachineUnderTest {
    const machine = this.#machines.get(name);
    if (!machine) throw new RangeError(`the harness has no machine ${name}`);
    return machine;
  }
}
