import type { Campaign } from '../../fleet/campaign.ts';
import type { Verdict } from '../../fleet/finding.ts';
import { verdictSchema, verdicts } from '../../fleet/finding.ts';
import { formatMoment } from '../../fleet/format.ts';
import type { CampaignMember } from '../ports.ts';
import { requesterWords } from './requester-words.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, context, section, type View } from './view.ts';
import { inertnessAlarm, isNotOk, stateWords, taskWords, verdictWords } from './words.ts';

/** How many machines the summary names, and how many get an entry in the thread. */
export const shownMachines = 20;

/** The order in which people should look at machines, after those whose agent may still run. */
const worstFirst: readonly Verdict[] = ['critical', 'failed', 'warning', 'inconclusive'];

/** The member's verdict, undefined until its evidence is judged. */
export function verdictOfMember(member: CampaignMember): Verdict | undefined {
  return verdictSchema.safeParse(member.verdict).data;
}

/** The members that people should look at, worst first. */
export function notOk(members: readonly CampaignMember[]): readonly CampaignMember[] {
  const rank = (member: CampaignMember) => {
    if (member.inertnessUnknown) return 0;
    const verdict = verdictOfMember(member);
    return verdict === undefined || !isNotOk(verdict) ? -1 : 1 + worstFirst.indexOf(verdict);
  };
  return members.filter((member) => rank(member) >= 0).toSorted((a, b) => rank(a) - rank(b));
}

const waiting = (count: number) => (count === 1 ? '1 waits' : `${count} wait`);

function memberLine(member: CampaignMember): string {
  const verdict = verdictOfMember(member);
  const words =
    member.state === 'awaiting'
      ? [stateWords.awaiting, ...(verdict === undefined ? [] : [verdictWords[verdict]])]
      : [verdictWords[verdict ?? 'inconclusive']];
  const alarm = member.inertnessUnknown ? [inertnessAlarm] : [];
  return [...words, `*${prose(member.machine, 64)}*`, codeSpan(member.runId, 64), ...alarm].join(' · ');
}

export const campaignMainBlockId = (id: string) => `campaign:${id}:main`;

/** The one message of a campaign, as its members are now. */
export function campaignMainView(campaign: Campaign, members: readonly CampaignMember[]): View {
  const done = members.filter((member) => member.state === 'done').length;
  const queued = members.filter((member) => member.state === 'queued').length;
  const counts = verdicts
    .map((verdict) => ({ verdict, count: members.filter((m) => verdictOfMember(m) === verdict).length }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${verdictWords[verdict]} ${count}`);
  const asking = members.filter((member) => member.state === 'awaiting');
  const worst = notOk(members);
  const title = `*${taskWords(campaign.task)}* on ${codeSpan(campaign.selector, 200)}`;
  const progress =
    done === members.length
      ? `:checkered_flag: all ${members.length} machines done`
      : `:hourglass_flowing_sand: ${done} of ${members.length} machines done, ${members.length - done - queued - asking.length} at work, ${queued} queued`;
  const waits = asking.length === 0 ? '' : `:bell: ${waiting(asking.length)} for people to decide`;
  const named = [...new Set([...asking, ...worst])];
  const rest = named.length - shownMachines;
  return compose({
    text: `${taskWords(campaign.task)}: ${done} of ${members.length} machines done, ${worst.length} not ok${asking.length === 0 ? '' : `, ${waiting(asking.length)} for people`}`,
    head: [
      section(
        [title, progress, waits, counts.join('   ')].filter((line) => line !== '').join('\n'),
        campaignMainBlockId(campaign.id),
      ),
    ],
    body: named.slice(0, shownMachines).map(memberLine),
    tail: [
      ...(rest > 0 ? [context([`and ${rest} more machines that people should look at`])] : []),
      context([
        `asked by ${requesterWords(campaign.requester)} at ${formatMoment(campaign.acceptedAt)}`,
        codeSpan(campaign.id, 64),
      ]),
    ],
    more: (count) => `and ${count} more`,
  }).view;
}
