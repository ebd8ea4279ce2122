import type { Random } from './random.ts';

/** Something bad that happens once so many requests are done. */
export interface Calamity {
  readonly atDone: number;
  readonly kind: CalamityKind;
  /** Picks the victim. */
  readonly pick: number;
  /** How long it lasts, where it lasts. */
  readonly ms: number;
}

const killKinds = [
  'kill worker',
  'freeze worker',
  'kill bot',
  'freeze bot',
  'kill Redis',
  'freeze Redis',
] as const;
type KillKind = (typeof killKinds)[number];
type CalamityKind = KillKind | 'drop wakes' | 'vanish' | 'rob Redis of a second' | 'trouble in Slack';

const killWeights: Readonly<Record<KillKind, number>> = {
  'kill worker': 0.45,
  'freeze worker': 0.2,
  'kill bot': 0.15,
  'freeze bot': 0.05,
  'kill Redis': 0.1,
  'freeze Redis': 0.05,
};
/** Workers are frozen for longer than their locks last (10 s) and bots up to longer than a lease (30 s). */
const lasts: Readonly<Partial<Record<CalamityKind, readonly [number, number]>>> = {
  'freeze worker': [11_000, 18_000],
  'freeze bot': [4_000, 33_000],
  'freeze Redis': [1_000, 6_000],
  // Longer than a worker is patient with a machine whose agent it has to stop.
  vanish: [18_000, 22_000],
};
const vanishings = 8;
const requestsPerTrouble = 8;
const killsPerDrop = 3;
/** Nothing happens after this part of the requests, so that there are some to go on with. */
const lastPart = 0.92;
/** What vanishes is quarantined, and measured again when it is asked the next time. */
const lastVanishing = 0.6;

/** Everything that happens beside the machines' own faults and the traps, by the seed. */
export function planCalamities(requests: number, kills: number, random: Random): Calamity[] {
  const drawn = Array.from({ length: Math.max(0, kills - killKinds.length) }, () => random.draw(killWeights));
  const all: CalamityKind[] = [
    ...random.shuffled(killKinds).slice(0, kills),
    ...drawn.map((kind) => kind ?? 'kill worker'),
    ...Array.from({ length: Math.ceil(kills / killsPerDrop) }, () => 'drop wakes' as const),
    ...Array.from({ length: vanishings }, () => 'vanish' as const),
    ...Array.from({ length: Math.ceil(requests / requestsPerTrouble) }, () => 'trouble in Slack' as const),
  ];
  const calamities = all.map((kind) => {
    const last = kind === 'vanish' ? lastVanishing : lastPart;
    return calamity(kind, random.fraction() * last * requests, random);
  });
  return [...calamities, calamity('rob Redis of a second', requests / 2, random)].toSorted(
    (a, b) => a.atDone - b.atDone,
  );
}

function calamity(kind: CalamityKind, atDone: number, random: Random): Calamity {
  return { atDone, kind, pick: random.fraction(), ms: random.between(...(lasts[kind] ?? ([0, 0] as const))) };
}
