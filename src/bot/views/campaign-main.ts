import type { ActionsBlock } from '@slack/types';
import type { Campaign, LeftOut } from '../../fleet/campaign.ts';
import { verdicts } from '../../fleet/finding.ts';
import { formatMoment } from '../../fleet/format.ts';
import type { Halt } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import { continueActionId, endWavesActionId } from '../action-ids.ts';
import type { CampaignMember, TraceLink } from '../ports.ts';
import {
  alikeWords,
  type Cluster,
  clusterLine,
  clustersOf,
  isTold,
  verdictOfMember,
  verdictsWorstFirst,
} from './campaign-clusters.ts';
import { progressLine, progressOf, timeLeftMs, waveLines } from './campaign-progress.ts';
import { campaignStrip } from './campaign-strip.ts';
import { queuedButHaltedLines } from './halted-line.ts';
import { requesterWords } from './requester-words.ts';
import { codeSpan, prose } from './safe-text.ts';
import { tracesButton } from './trace-button.ts';
import { button, buttonRow, compose, context, section, type View } from './view.ts';
import { inertnessAlarm, isNotOk, stateWords, taskWords, verdictWords } from './words.ts';

/** How many machines get an entry in the thread. */
export const shownMachines = 20;
/** How many answers the summary tells; each costs a run that is read. */
const shownClusters = 10;
/** How many machines the summary names that wait for people to decide. */
const shownAsking = 10;
const shownReasons = 8;
/** How many machines one line names. */
const namedMachines = 10;
const whyChars = 300;
const nameChars = 64;

/** What the summary is made with beside the campaign's record. */
export interface CampaignDetails {
  /** Runs by id, of those that `exampleRunIds` names. */
  readonly examples: ReadonlyMap<string, Run>;
  readonly now: number;
  /** Machines that wait for their turn and are halted. */
  readonly halted: ReadonlyMap<Halt, readonly Machine[]>;
  /** How many questions wait for which nobody is mentioned. */
  readonly unmentioned: number;
  /** To the list of its runs' traces. */
  readonly traceLink: TraceLink;
}

/** The members that people should look at: those whose agent may still run, then the others, worst first. */
export function notOk(members: readonly CampaignMember[]): readonly CampaignMember[] {
  const rank = (member: CampaignMember) => {
    if (member.inertnessUnknown) return 0;
    const verdict = verdictOfMember(member);
    return verdict === undefined || !isNotOk(verdict) ? -1 : 1 + verdictsWorstFirst.indexOf(verdict);
  };
  return members.filter((member) => rank(member) >= 0).toSorted((a, b) => rank(a) - rank(b));
}

/** The answers that the summary tells, and how many it does not. */
function toldClusters(members: readonly CampaignMember[]): readonly Cluster[] {
  const others = members.filter(({ state, inertnessUnknown }) => state !== 'awaiting' && !inertnessUnknown);
  return clustersOf(others).filter(isTold);
}

/** The runs whose words the summary needs: one for each answer that it tells. */
export function exampleRunIds(members: readonly CampaignMember[]): readonly string[] {
  return toldClusters(members)
    .slice(0, shownClusters)
    .filter(({ failure }) => failure === undefined)
    .map(({ members: [first] }) => first.runId);
}

const waiting = (count: number) => (count === 1 ? '1 waits' : `${count} wait`);

function memberLine(member: CampaignMember): string {
  const verdict = verdictOfMember(member);
  const words =
    member.state === 'awaiting'
      ? [stateWords.awaiting, ...(verdict === undefined ? [] : [verdictWords[verdict]])]
      : [verdictWords[verdict ?? 'inconclusive']];
  const alarm = member.inertnessUnknown ? [inertnessAlarm] : [];
  return [
    ...words,
    `*${prose(member.machine, nameChars)}*`,
    codeSpan(member.runId, nameChars),
    ...alarm,
  ].join(' · ');
}

/** Machines that get no run, those with the same reason together. */
export function leftOutLines(leftOut: readonly LeftOut[]): readonly string[] {
  const reasons = [...Map.groupBy(leftOut, ({ why }) => why)];
  const lines = reasons.slice(0, shownReasons).map(([why, those]) => {
    const names = those.slice(0, namedMachines).map(({ machine }) => prose(machine, nameChars));
    const rest = those.length - namedMachines;
    return `:heavy_minus_sign: left out: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''} · ${prose(why, whyChars)}`;
  });
  const rest = reasons.slice(shownReasons).reduce((sum, [, those]) => sum + those.length, 0);
  return rest > 0 ? [...lines, `:heavy_minus_sign: left out for other reasons: ${rest} more`] : lines;
}

function askingLine(asking: number, unmentioned: number): readonly string[] {
  if (asking === 0) return [];
  const silent =
    unmentioned === 0
      ? ''
      : `; for ${unmentioned} of them nobody is mentioned: ${codeSpan('/fleet approvals', nameChars)} lists what you may decide`;
  return [`:bell: ${waiting(asking)} for people to decide${silent}`];
}

/** The row of a campaign that stopped: its id tells after which wave people saw it stopped when they clicked. */
export const campaignButtonsBlockId = (id: string, wave: number) => `campaign:${id}:stopped:${wave}`;

/** The row of a message that only leads to the traces of what it tells of. */
export const tracesBlockId = (id: string) => `campaign:${id}:traces`;

function campaignButtons(
  { id, stopped, ended }: Campaign,
  members: readonly CampaignMember[],
  link: TraceLink,
): readonly ActionsBlock[] {
  const traces = members.length > 0 ? tracesButton(link) : [];
  if (stopped === undefined || ended !== undefined) return buttonRow(tracesBlockId(id), traces);
  return buttonRow(campaignButtonsBlockId(id, stopped.wave), [
    button('Continue', continueActionId, { value: id }, 'primary'),
    button('End the rest', endWavesActionId, { value: id }, 'danger'),
    ...traces,
  ]);
}

export const campaignMainBlockId = (id: string) => `campaign:${id}:main`;

/** The one message of a campaign, as its members are now. */
export function campaignMainView(
  campaign: Campaign,
  members: readonly CampaignMember[],
  { examples, now, halted, unmentioned, traceLink }: CampaignDetails,
): View {
  const progress = progressOf(campaign, members);
  const counts = new Map(
    verdicts.map((verdict) => [verdict, members.filter((m) => verdictOfMember(m) === verdict).length]),
  );
  const judged = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const told = toldClusters(members);
  const untold = told.slice(shownClusters).reduce((sum, cluster) => sum + cluster.members.length, 0);
  const alarms = members.filter(({ inertnessUnknown }) => inertnessUnknown);
  const asking = members.filter((member) => member.state === 'awaiting' && !member.inertnessUnknown);
  const worst = notOk(members);
  const head = [
    `*${taskWords(campaign.task)}* on ${codeSpan(campaign.selector, 200)}`,
    campaignStrip(new Map([...counts, ['open', progress.all - judged]])),
    progressLine(progress, timeLeftMs(campaign, members, now)),
    ...waveLines(campaign),
    ...askingLine(progress.asking, unmentioned),
    [...counts]
      .flatMap(([verdict, count]) => (count > 0 ? `${verdictWords[verdict]} ${count}` : []))
      .join('   '),
    alikeWords(clustersOf(members)) ?? '',
  ];
  return compose({
    text: `${taskWords(campaign.task)}: ${progress.done} of ${progress.all} machines done, ${worst.length} not ok${progress.asking === 0 ? '' : `, ${waiting(progress.asking)} for people`}${campaign.stopped === undefined || campaign.ended !== undefined ? '' : ', stopped'}`,
    head: [section(head.filter((line) => line !== '').join('\n'), campaignMainBlockId(campaign.id))],
    body: [
      ...alarms.slice(0, shownMachines).map(memberLine),
      ...asking.slice(0, shownAsking).map(memberLine),
      ...told.slice(0, shownClusters).map((each) => clusterLine(each, examples.get(each.members[0].runId))),
      ...queuedButHaltedLines(halted),
      ...leftOutLines(campaign.leftOut ?? []),
    ],
    tail: [
      ...(untold > 0
        ? [context([`and ${untold} more machines with ${told.length - shownClusters} more answers`])]
        : []),
      ...campaignButtons(campaign, members, traceLink),
      context([
        `asked by ${requesterWords(campaign.requester)} at ${formatMoment(campaign.acceptedAt)}`,
        codeSpan(campaign.id, nameChars),
      ]),
    ],
    more: (count) => `and ${count} more`,
  }).view;
}
