import type { CommandOutput } from '../../../src/fleet/evidence.ts';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { dfOutputs } from '../df-outputs.ts';
import { type Behaviour, wellBehaved } from './behaviour.ts';
import { SimulatedMachine } from './simulated-machine.ts';

/** A machine's entry in the fleet file. */
export interface FleetEntry {
  readonly name: string;
  readonly address: string;
  readonly ssh: { readonly port: number };
  readonly hostKey: string;
}

export interface SimulatedFleetOptions {
  readonly count: number;
  /** How each machine behaves; well where not given. */
  readonly behaviour?: (name: string) => Behaviour;
  readonly clockSkewMs?: (name: string) => number;
  /** Longest life of an agent that nobody stops. */
  readonly runtimeMaxMs?: number;
}

/** Many machines in this process. They let every SSH key in, and share one host key to start quickly. */
export interface SimulatedFleet {
  readonly machines: ReadonlyMap<string, SimulatedMachine>;
  readonly entries: readonly FleetEntry[];
  /** @throws RangeError when there is none */
  machine(name: string): SimulatedMachine;
  close(): Promise<void>;
}

const defaultRuntimeMaxMs = 10 * 60_000;
const nameDigits = 4;

/**
 * Starts machines `sim-0001` … that are authorised for the check `disk` and find their disks in order. Each has
 * a loopback port of its own.
 */
export async function startSimulatedFleet(options: SimulatedFleetOptions): Promise<SimulatedFleet> {
  const { count, behaviour, clockSkewMs, runtimeMaxMs = defaultRuntimeMaxMs } = options;
  const hostKey = newKeyPair();
  const outputs = (check: string): readonly CommandOutput[] | undefined =>
    check === 'disk' ? dfOutputs() : undefined;
  const machines = new Map<string, SimulatedMachine>();
  for (let number = 1; number <= count; number += 1) {
    const name = `sim-${String(number).padStart(nameDigits, '0')}`;
    const machine = await SimulatedMachine.start({
      ...{ name, outputs, runtimeMaxMs, hostKeyPem: hostKey.privateKey },
      behaviour: behaviour?.(name) ?? wellBehaved,
      clockSkewMs: clockSkewMs?.(name) ?? 0,
    });
    machines.set(name, machine);
  }
  return {
    machines,
    entries: [...machines.values()].map(({ name, port }) => ({
      name,
      address: '127.0.0.1',
      ssh: { port },
      hostKey: hostKey.publicKey,
    })),
    machine(name) {
      const machine = machines.get(name);
      if (machine === undefined) throw new RangeError(`there is no machine ${name}`);
      return machine;
    },
    async close() {
      await Promise.all([...machines.values()].map((machine) => machine.close()));
    },
  };
}
