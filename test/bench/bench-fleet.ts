import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { hostKey } from '../fleet/fixtures.ts';

export function machineName(number: number): string {
  return `bench-${String(number).padStart(4, '0')}`;
}

/** A fleet of so many machines with every default. */
export function benchFleet(machines: number): Fleet {
  const entries = Array.from(
    { length: machines },
    (_, number) =>
      `  - { name: ${machineName(number)}, address: ${machineName(number)}.test, hostKey: ${hostKey(number)} }`,
  );
  return loadFleet(`version: 1\nmachines:\n${entries.join('\n')}\n`, 'bench.yaml');
}
