import { failureOf } from '../../fleet/alike.ts';
import { type Verdict, verdictSchema } from '../../fleet/finding.ts';
import { latestFindings } from '../../fleet/latest-findings.ts';
import type { Run } from '../../fleet/run.ts';
import type { CampaignMember } from '../ports.ts';
import { codeSpan, prose } from './safe-text.ts';
import { findingWords, isNotOk, verdictWords, worstFirst } from './words.ts';

/** Machines of a campaign with the same answer. */
export interface Cluster {
  readonly verdict: Verdict;
  /** The code of the failure that they have in common. */
  readonly failure: string | undefined;
  readonly members: readonly [CampaignMember, ...CampaignMember[]];
}

/** Most of a cluster that is named. */
const namedMachines = 10;
const shownFindings = 2;
const findingChars = 240;
const nameChars = 64;

/** The verdicts in the order in which people should look at them. */
export const verdictsWorstFirst: readonly Verdict[] = [
  ...(['critical', 'failed', 'warning', 'inconclusive', 'answered', 'ok', 'cancelled'] as const),
];

/** The member's verdict, undefined until its evidence is judged. */
export function verdictOfMember(member: CampaignMember): Verdict | undefined {
  return verdictSchema.safeParse(member.verdict).data;
}

/** The machines that came to the same, the worst verdict first, the largest first within one. */
export function clustersOf(members: readonly CampaignMember[]): readonly Cluster[] {
  const groups = Map.groupBy(members, ({ verdict, alike }) => `${verdict} ${alike}`);
  return [...groups.values()]
    .flatMap(([first, ...others]): Cluster[] => {
      const verdict = first && verdictOfMember(first);
      if (first === undefined || verdict === undefined) return [];
      return [{ verdict, failure: failureOf(first.alike), members: [first, ...others] }];
    })
    .toSorted(
      (a, b) =>
        verdictsWorstFirst.indexOf(a.verdict) - verdictsWorstFirst.indexOf(b.verdict) ||
        b.members.length - a.members.length,
    );
}

/** Whether people learn something from a line about it: an ok says no more than its count. */
export function isTold({ verdict }: Cluster): boolean {
  return isNotOk(verdict) || verdict === 'answered';
}

/** How many of those that could be asked came to the same: `37 alike, 3 differ`. Undefined of fewer than two. */
export function alikeWords(clusters: readonly Cluster[]): string | undefined {
  const sizes = clusters
    .filter(({ verdict, failure }) => failure === undefined && verdict !== 'cancelled')
    .map(({ members }) => members.length);
  const judged = sizes.reduce((sum, size) => sum + size, 0);
  if (judged < 2) return undefined;
  const most = Math.max(...sizes);
  if (most === judged) return `all ${judged} alike`;
  if (most === 1) return `all ${judged} differ`;
  return `${most} alike, ${judged - most} differ`;
}

/** One line of safe text for a cluster. `example` is the run of its first machine, where it is known. */
export function clusterLine({ verdict, failure, members }: Cluster, example: Run | undefined): string {
  const [first] = members;
  const names = members.slice(0, namedMachines).map(({ machine }) => `*${prose(machine, nameChars)}*`);
  const rest = members.length - namedMachines;
  const machines = rest > 0 ? `${names.join(', ')} and ${rest} more` : names.join(', ');
  return [
    members.length === 1 ? verdictWords[verdict] : `${verdictWords[verdict]} × ${members.length}`,
    machines,
    ...(members.length === 1 ? [codeSpan(first.runId, nameChars)] : []),
    ...(failure === undefined ? [] : [prose(failure, nameChars)]),
    ...exampleWords(example, members.length > 1),
  ].join(' · ');
}

function exampleWords(run: Run | undefined, isOneOfSeveral: boolean): readonly string[] {
  if (run === undefined || run.failure !== undefined) return [];
  const said =
    run.verdict === 'answered'
      ? [run.diagnosis?.comment ?? '']
      : worstFirst(latestFindings(run))
          .filter(({ severity }) => severity !== 'ok')
          .slice(0, shownFindings)
          .map(findingWords);
  const words = said.filter((each) => each !== '').map((each) => prose(each, findingChars));
  // The numbers are those of the first machine.
  return isOneOfSeveral && words.length > 0 ? [`for example ${words.join('; ')}`] : words;
}
