import type { Campaign } from '../../fleet/campaign.ts';
import { verdicts } from '../../fleet/finding.ts';
import { formatMoment } from '../../fleet/format.ts';
import type { Halt } from '../../fleet/halt.ts';
import { latestFindings } from '../../fleet/latest-findings.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import type { CampaignMember, TraceLink } from '../ports.ts';
import { verdictOfMember } from './campaign-clusters.ts';
import { campaignMainBlockId, leftOutLines, notOk, tracesBlockId } from './campaign-main.ts';
import { type DigestChange, digestChanges, sameLeftOut } from './digest-changes.ts';
import { queuedButHaltedLines } from './halted-line.ts';
import { codeSpan, prose, quoteBeginning } from './safe-text.ts';
import { tracesButton } from './trace-button.ts';
import { buttonRow, compose, context, section, type View } from './view.ts';
import { findingWords, inertnessAlarm, stateWords, taskWords, verdictWords, worstFirst } from './words.ts';

const nameChars = 64;
/** How many machines one line of changes names. */
const namedMachines = 20;
/** How much of one machine's findings the digest tells; its entry in the thread has the rest. */
const findingsShown = 5;
const findingChars = 300;
const answerMaxLines = 4;
const answerLineChars = 500;

/** A campaign with its machines. */
export interface DigestRecord {
  readonly campaign: Campaign;
  /** The machines that got a run. */
  readonly members: readonly CampaignMember[];
}

export interface Digest extends DigestRecord {
  /** The one before of the same schedule; undefined where there is none, or it is not kept any more. */
  readonly previous: DigestRecord | undefined;
  /** Machines that wait for their turn and are halted. */
  readonly halted: ReadonlyMap<Halt, readonly Machine[]>;
  /** Of `toldInFull`, as far as there is room. */
  readonly runs: readonly Run[];
  /** To the list of its runs' traces. */
  readonly traceLink: TraceLink;
}

/**
 * What a schedule brought: what changed since the last time, and problems in full. One line where there is neither.
 */
export function digestMainView(digest: Digest): View {
  const { campaign, members, previous, halted, runs: told, traceLink } = digest;
  const { id, requester, task, selector, acceptedAt, leftOut = [] } = campaign;
  const name = prose(requester.kind === 'schedule' ? requester.schedule : id, nameChars);
  const comparable = isComparable(campaign, previous?.campaign) ? previous : undefined;
  const changes = comparable === undefined ? [] : digestChanges(comparable, { campaign, members });
  const worst = notOk(members);
  const counts = verdicts
    .map((verdict) => ({ verdict, count: members.filter((m) => verdictOfMember(m) === verdict).length }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${verdictWords[verdict]} ${count}`);
  const title = `*${name}*: ${taskWords(task)} on ${codeSpan(selector, 200)}`;
  const isForgotten = campaign.previous !== undefined && previous === undefined;
  const since = isForgotten
    ? 'what came before is not kept any more'
    : sinceWords(changes, comparable?.campaign);
  const blockId = campaignMainBlockId(id);
  const machines = members.length === 1 ? '1 machine' : `${members.length} machines`;
  const news = changes.length === 0 ? ', no change' : `, ${countOf(changes)} changed`;
  const text = `${name}: ${machines}, ${worst.length} not ok${comparable === undefined ? '' : news}`;
  const toldLeftOut = comparable !== undefined && sameLeftOut(comparable.campaign, campaign) ? [] : leftOut;
  const unfinished = members.filter(({ state }) => state !== 'done');
  const isNews = worst.length + changes.length + unfinished.length + toldLeftOut.length > 0;
  if (comparable && !isNews && task.kind !== 'ask') {
    const line = [title, ...(counts.length > 0 ? [counts.join('   ')] : []), since].join(' · ');
    return { text, blocks: [section(line, blockId)] };
  }
  const runs = new Map(told.map((run) => [run.id, run]));
  const { view } = compose({
    text,
    head: [
      section(
        [title, counts.join('   ') || 'No machine was asked.', ...openLines(members), since].join('\n'),
        blockId,
      ),
    ],
    body: [
      ...changes.map(changeLine),
      ...worst.map((member) => problemLines(member, runs.get(member.runId))),
      ...told.flatMap(answerLines),
      ...queuedButHaltedLines(halted),
      ...leftOutLines(toldLeftOut),
    ],
    tail: [
      // Whoever set it up is not mentioned: nobody wants to be called every night.
      context([`begun at ${formatMoment(acceptedAt)}`, codeSpan(id, nameChars)]),
      ...buttonRow(tracesBlockId(id), members.length > 0 ? tracesButton(traceLink) : []),
    ],
    more: (count) => `and ${count} more`,
  });
  return view;
}

/** The machines of which a run is told in full: those that are not ok, or all where a question was asked. */
export function toldInFull({ campaign, members }: DigestRecord): readonly CampaignMember[] {
  const worst = notOk(members);
  return campaign.task.kind === 'ask' ? [...new Set([...worst, ...members])] : worst;
}

/** What another task brought says nothing about this one. */
function isComparable(now: Campaign, before: Campaign | undefined): boolean {
  return before !== undefined && JSON.stringify(before.task) === JSON.stringify(now.task);
}

function sinceWords(changes: readonly DigestChange[], before: Campaign | undefined): string {
  if (before === undefined) return 'nothing to compare with yet';
  const moment = formatMoment(before.acceptedAt);
  return changes.length === 0 ? `no change since ${moment}` : `changed since ${moment}:`;
}

const countOf = (changes: readonly DigestChange[]): number =>
  changes.reduce((sum, { machines }) => sum + machines.length, 0);

/** What is still to come, where the digest stands because people are asked. */
function openLines(members: readonly CampaignMember[]): readonly string[] {
  const asking = members.filter(({ state }) => state === 'awaiting').length;
  const open = members.filter(({ state }) => state !== 'done' && state !== 'awaiting').length;
  return [
    ...(asking > 0 ? [`${stateWords.awaiting}: ${asking}`] : []),
    ...(open > 0 ? [`:hourglass_flowing_sand: ${open} not done yet`] : []),
  ];
}

function changeLine({ was, is, machines }: DigestChange): string {
  const names = machines.slice(0, namedMachines).map((machine) => `*${prose(machine, nameChars)}*`);
  const rest = machines.length - namedMachines;
  return `${was} → ${is}: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function problemLines(member: CampaignMember, run: Run | undefined): string {
  const verdict = verdictOfMember(member);
  const line = [
    verdictWords[verdict ?? 'inconclusive'],
    `*${prose(member.machine, nameChars)}*`,
    codeSpan(member.runId, nameChars),
    ...(member.inertnessUnknown ? [inertnessAlarm] : []),
  ].join(' · ');
  const findings = worstFirst(run === undefined ? [] : latestFindings(run)).filter(
    ({ severity }) => severity !== 'ok',
  );
  const told = findings.slice(0, findingsShown).map((each) => `> ${prose(findingWords(each), findingChars)}`);
  const failure = run?.failure === undefined ? [] : [`> ${prose(run.failure.message, findingChars)}`];
  const rest = findings.length - findingsShown;
  return [line, ...failure, ...told, ...(rest > 0 ? [`> and ${rest} more`] : [])].join('\n');
}

/** What the agent answered, where it was asked; what is not shown is in the thread's file. */
function answerLines({ request, diagnosis, verdict }: Run): readonly string[] {
  if (request.task.kind !== 'ask' || verdict !== 'answered' || diagnosis?.comment === undefined) return [];
  const answer = quoteBeginning(diagnosis.comment, answerMaxLines, answerLineChars);
  return [[`*${prose(request.machine, nameChars)}*`, ...answer].join('\n')];
}
