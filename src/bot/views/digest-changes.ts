import { isDeepStrictEqual } from 'node:util';
import type { Campaign } from '../../fleet/campaign.ts';
import type { CampaignMember } from '../ports.ts';
import { verdictOfMember, verdictsWorstFirst } from './campaign-clusters.ts';
import { verdictWords } from './words.ts';

/** Machines that were one thing the last time and are another now. */
export interface DigestChange {
  readonly was: string;
  readonly is: string;
  readonly machines: readonly string[];
}

interface Side {
  readonly campaign: Campaign;
  readonly members: readonly CampaignMember[];
}

const leftOutWords = 'left out';
const absentWords = 'not part of it';

/** What people should look at first. */
const order: readonly string[] = [
  ...verdictsWorstFirst.map((verdict) => verdictWords[verdict]),
  leftOutWords,
  absentWords,
];

/** What is different from the last time, machines with the same change together. One that is not done yet is none. */
export function digestChanges(before: Side, now: Side): readonly DigestChange[] {
  const was = outcomes(before);
  const is = outcomes(now);
  const open = new Set(
    now.members.filter((member) => verdictOfMember(member) === undefined).map(({ machine }) => machine),
  );
  const changed = [...new Set([...is.keys(), ...was.keys()])]
    .filter((machine) => !open.has(machine))
    .map((machine) => ({ machine, was: was.get(machine) ?? absentWords, is: is.get(machine) ?? absentWords }))
    .filter((each) => each.was !== each.is);
  return [...Map.groupBy(changed, (each) => `${each.was}\n${each.is}`).values()]
    .flatMap(([first, ...others]) =>
      first === undefined
        ? []
        : [{ was: first.was, is: first.is, machines: [first, ...others].map(({ machine }) => machine) }],
    )
    .toSorted((a, b) => order.indexOf(a.is) - order.indexOf(b.is));
}

/** What became of each machine, in words. */
function outcomes({ campaign, members }: Side): ReadonlyMap<string, string> {
  const judged = members.flatMap((member) => {
    const verdict = verdictOfMember(member);
    return verdict === undefined ? [] : [[member.machine, verdictWords[verdict]] as const];
  });
  const leftOut = (campaign.leftOut ?? []).map(({ machine }) => [machine, leftOutWords] as const);
  return new Map([...leftOut, ...judged]);
}

/** Whether the same machines were left out for the same reasons. */
export function sameLeftOut(before: Campaign, now: Campaign): boolean {
  return isDeepStrictEqual(before.leftOut ?? [], now.leftOut ?? []);
}
