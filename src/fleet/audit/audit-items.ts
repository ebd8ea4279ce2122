import type { Deed } from './deeds.ts';
import { resultOf } from './result-of.ts';

/** What stands in one line for people: a campaign with those of its runs that are there, or one deed. */
export interface AuditItem {
  readonly deed: Deed;
  /** Empty where the deed is no campaign, or none of its runs is there. */
  readonly runs: readonly Deed[];
}

/** The deeds with the runs of each campaign under it, in the order of what comes first. */
export function auditItems(deeds: readonly Deed[]): readonly AuditItem[] {
  const campaigns = new Map<string, { deed: Deed; runs: Deed[] }>();
  for (const deed of deeds) {
    if (deed.subject.kind === 'campaign') campaigns.set(deed.subject.id, { deed, runs: [] });
  }
  const items = new Set<AuditItem>();
  for (const deed of deeds) {
    const item = campaigns.get(campaignOf(deed) ?? '');
    if (item === undefined) {
      items.add({ deed, runs: [] });
      continue;
    }
    if (deed !== item.deed) item.runs.push(deed);
    // At the place of what happened last of all of them.
    items.add(item);
  }
  return [...items];
}

/** How many runs ended how, most first; and how many other deeds there are. */
export interface AuditTally {
  readonly runs: readonly (readonly [result: string, count: number])[];
  readonly others: number;
}

export function tallyDeeds(deeds: readonly Deed[]): AuditTally {
  const counts = new Map<string, number>();
  let others = 0;
  for (const deed of deeds) {
    if (deed.subject.kind === 'run') {
      const { result } = resultOf(deed);
      counts.set(result, (counts.get(result) ?? 0) + 1);
    } else if (deed.subject.kind !== 'campaign') others += 1;
  }
  return { runs: [...counts].sort(([, a], [, b]) => b - a), others };
}

/** The campaign that a deed is, or is a run of. */
function campaignOf({ subject, facts }: Deed): string | undefined {
  if (subject.kind === 'campaign') return subject.id;
  for (const { entry } of facts) if (entry.kind === 'request.accepted') return entry.campaign;
  return undefined;
}
