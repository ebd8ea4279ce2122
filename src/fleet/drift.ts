import { edgeKitVersion, type Installed } from './edge-kit.ts';
import { edgePolicy, policyDigest } from './edge-policy.ts';
import type { Machine } from './machine.ts';

/** What can be another one on a machine than the fleet file and this version of fleetbot say. */
export const driftParts = ['policy', 'agent image', 'gate', 'broker', 'plugin'] as const;
export type DriftPart = (typeof driftParts)[number];

/** A part that is not as it should be. */
export interface Drift {
  readonly part: DriftPart;
  readonly expected: string;
  /** null where the machine cannot tell, or has none. */
  readonly found: string | null;
}

/** Compares what a machine says is installed on it with what should be, in the order of `driftParts`. */
export function driftOf(machine: Machine, installed: Installed): readonly Drift[] {
  return driftFrom(expectedOn(machine), installed);
}

/** What should be installed, by part; an image is expected only where the fleet file names one. */
export type Expected = Readonly<Partial<Record<DriftPart, string>>>;

/** What should be installed on the machine. Makes its policy, which costs about a millisecond. */
export function expectedOn(machine: Machine): Expected {
  const { image } = machine.agent;
  return {
    policy: policyDigest(edgePolicy(machine)),
    ...(image !== undefined && { 'agent image': image }),
    gate: edgeKitVersion,
    broker: edgeKitVersion,
    plugin: edgeKitVersion,
  };
}

/** `driftOf`, where what is expected is known already. */
export function driftFrom(expected: Expected, installed: Installed): readonly Drift[] {
  const found: Readonly<Record<DriftPart, string | null>> = {
    policy: installed.policy,
    'agent image': installed.image,
    gate: installed.gate,
    broker: installed.broker,
    plugin: installed.plugin,
  };
  return driftParts.flatMap((part) => {
    const wanted = expected[part];
    return wanted === undefined || wanted === found[part]
      ? []
      : { part, expected: wanted, found: found[part] };
  });
}
