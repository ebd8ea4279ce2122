import { z } from 'zod';
import type { Catalogue } from './action.ts';
import { edgeKitVersion, type Installed } from './edge-kit.ts';
import { edgePolicy, policyDigest } from './edge-policy.ts';
import type { Machine } from './machine.ts';

/** What can be another one on a machine than the fleet file and this version of fleetbot say. */
export const driftParts = ['policy', 'agent image', 'gate', 'broker', 'plugin'] as const;
export type DriftPart = (typeof driftParts)[number];

const driftSchema = z.object({
  part: z.enum(driftParts),
  expected: z.string(),
  /** null where the machine cannot tell, or has none. */
  found: z.string().nullable(),
});

/** A part that is not as it should be. */
export type Drift = z.infer<typeof driftSchema>;

/** What is kept of a machine that has drifted. */
export const driftNoteSchema = z.object({
  /** When it was first seen to have drifted, in whatever part. */
  since: z.int(),
  /** As last measured. */
  parts: z.array(driftSchema).min(1),
});
export type DriftNote = z.infer<typeof driftNoteSchema>;

/** What should be installed, by part; an image is expected only where the fleet file names one. */
export type Expected = Readonly<Partial<Record<DriftPart, string>>>;

/** What should be installed on the machine. Makes its policy, which costs about 0.2 ms. */
export function expectedOn(machine: Machine, catalogue: Catalogue): Expected {
  const { image } = machine.agent;
  return {
    policy: policyDigest(edgePolicy(machine, catalogue)),
    ...(image !== undefined && { 'agent image': image }),
    gate: edgeKitVersion,
    broker: edgeKitVersion,
    plugin: edgeKitVersion,
  };
}

/** Compares what should be installed on a machine with what it says is installed, in the order of `driftParts`. */
export function driftOf(expected: Expected, installed: Installed): Drift[] {
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
      : [{ part, expected: wanted, found: found[part] }];
  });
}

/** A part of a sentence: words, or a command to type. */
export type Mending = string | { readonly command: string };

/** What mends a drift: the parts of one sentence. */
export function mendingOf(machine: string, { part, expected }: Drift): readonly Mending[] {
  if (part === 'policy') {
    return [
      ...['Make the new one with', { command: `fleetbot edge policy ${machine} > policy.json` }],
      ...['and install it on the machine:', { command: 'setup-edge.sh --policy policy.json' }],
    ];
  }
  if (part === 'agent image') {
    const install = { command: `setup-edge.sh --image ${expected}` };
    return ['Install it on the machine, or correct agent.image in the fleet file:', install];
  }
  return ['Install it on the machine, from the kit that came with fleetbot:', { command: 'setup-edge.sh' }];
}
