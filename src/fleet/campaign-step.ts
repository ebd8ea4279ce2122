import type { Campaign } from './campaign.ts';
import type { Verdict } from './finding.ts';
import type { RunState } from './run.ts';

/** What a campaign's next step needs to know of a machine that got its run. */
export interface TakenMachine {
  readonly machine: string;
  readonly state: RunState;
  readonly verdict?: string | undefined;
  /** Its run is done and its agent could not be measured inactive. */
  readonly inertnessUnknown: boolean;
}

/** What is to be done with a campaign now. */
export type CampaignStep =
  | { readonly kind: 'hand-in'; readonly machines: readonly string[] }
  /** After this wave, counted from 0. */
  | { readonly kind: 'stop'; readonly wave: number; readonly why: string }
  /** Machines are at work. */
  | { readonly kind: 'wait' }
  /** Every machine was handed in, or people have to go on. */
  | { readonly kind: 'rest' };

/** How many machines a sentence names before it counts the others. */
const namedAtMost = 5;
const asHoped: ReadonlySet<string> = new Set<Verdict>(['ok', 'answered']);

/** Where each wave ends; of a campaign without waves the end of the only one. */
export function endsOf({ waves, machines }: Campaign): readonly number[] {
  return waves ?? [machines.length];
}

/** How many machines were handed in, those that were left out then counted. */
export function handedInOf({ handedIn, machines }: Campaign): number {
  return handedIn ?? machines.length;
}

/** The machines that wait for their wave, or for others to be done. */
export function waitingOf(campaign: Campaign): readonly string[] {
  return campaign.machines.slice(handedInOf(campaign));
}

/** Whether more is to be handed in without anybody's doing. */
export function isOpen(campaign: Campaign): boolean {
  return campaign.stopped === undefined && campaign.ended === undefined && waitingOf(campaign).length > 0;
}

/**
 * A wave begins when no machine of the one before is at work any more, and each was ok: any other verdict, an agent
 * that may still run, a cancellation and a wave in which no machine could be looked at stop the campaign, until a
 * person continues. One that waits for people to decide is not at work.
 */
export function nextStep(campaign: Campaign, taken: readonly TakenMachine[]): CampaignStep {
  if (!isOpen(campaign)) return { kind: 'rest' };
  const ends = endsOf(campaign);
  const from = handedInOf(campaign);
  const wave = ends.findIndex((end) => end > from);
  const before = wave - 1;
  if (ends[before] === from && !campaign.continued?.some((each) => each.wave === before)) {
    const names = new Set(campaign.machines.slice(ends[before - 1] ?? 0, from));
    const ofWave = taken.filter(({ machine }) => names.has(machine));
    if (ofWave.some(isAtWork)) return { kind: 'wait' };
    const why = whyStop(ofWave);
    if (why !== undefined) return { kind: 'stop', wave: before, why };
  }
  const room = (campaign.atOnce ?? Number.POSITIVE_INFINITY) - taken.filter(isAtWork).length;
  if (room <= 0) return { kind: 'wait' };
  const end = Math.min(ends[wave] ?? campaign.machines.length, from + room);
  return { kind: 'hand-in', machines: campaign.machines.slice(from, end) };
}

/** Whether a worker has it, or will. */
function isAtWork({ state }: TakenMachine): boolean {
  return state !== 'done' && state !== 'awaiting';
}

function whyStop(wave: readonly TakenMachine[]): string | undefined {
  if (wave.length === 0) return 'no machine of it could be looked at';
  const bad = wave.filter(({ verdict = '', inertnessUnknown }) => inertnessUnknown || !asHoped.has(verdict));
  if (bad.length === 0) return undefined;
  const named = bad
    .slice(0, namedAtMost)
    .map(({ machine, verdict, inertnessUnknown }) =>
      inertnessUnknown ? `${machine}: its agent may still run` : `${machine}: ${verdict ?? 'no verdict'}`,
    );
  const more = bad.length > namedAtMost ? ` and ${bad.length - namedAtMost} more` : '';
  return `${named.join(', ')}${more}`;
}
