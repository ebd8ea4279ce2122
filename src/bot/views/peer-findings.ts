import type { Campaign } from '../../fleet/campaign.ts';
import type { Finding } from '../../fleet/finding.ts';
import { isBad } from '../../fleet/finding-shape.ts';
import { formatMoment } from '../../fleet/format.ts';
import { type PeerAnswer, peerAnswer } from '../../fleet/peer-answer.ts';
import type { Run } from '../../fleet/run.ts';
import type { CampaignMember } from '../ports.ts';
import { campaignMainBlockId } from './campaign-main.ts';
import { requesterWords } from './requester-words.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, context, section, type View } from './view.ts';
import { inertnessAlarm, runVerdictWords, worstFirst } from './words.ts';

/** How many findings stand for what a machine found. */
const shownFindings = 3;
const findingChars = 240;
const nameChars = 64;
const reasonChars = 300;
/** How many machines with the same answer are named. */
const shownNames = 10;

/** What a peer can have answered; of one that was left out there is no answer. */
type Answer = PeerAnswer | 'not-asked';

/** The order in which they are told. */
const answers: readonly Answer[] = ['same', 'similar', 'other', 'none', 'unknown', 'not-asked', 'pending'];

/** The end of a sentence about one machine, and about several. */
const answerWords: Readonly<Record<Answer, readonly [one: string, several: string]>> = {
  same: ['has the same', 'have the same'],
  similar: ['has something like it', 'have something like it'],
  other: ['does not, but something else', 'do not, but something else'],
  none: ['does not', 'do not'],
  unknown: ['could not be checked', 'could not be checked'],
  'not-asked': ['could not be asked', 'could not be asked'],
  pending: ['has not answered yet', 'have not answered yet'],
};

/** What a peer found is told in a line of its own, where that says more than the sentence. */
const told: ReadonlySet<Answer> = new Set<Answer>(['same', 'similar', 'other', 'unknown']);

/** Peers that were asked because of a run, and what is known of that and of theirs. */
export interface PeerFindings {
  readonly campaign: Campaign;
  readonly members: readonly CampaignMember[];
  /** Undefined where it is not kept any more. */
  readonly asking: Run | undefined;
  /** Of the members, those that are still kept. */
  readonly runs: readonly Run[];
}

/** The one message that joins what a supervisor found with what its peers answered, as far as they have. */
export function peerFindingsView({ campaign, members, asking, runs }: PeerFindings): View {
  const { id, requester, acceptedAt, leftOut = [] } = campaign;
  const runOf = new Map(runs.map((run) => [run.request.machine, run]));
  const peers = members.map((member) => ({ member, answer: answerOf(member, asking, runOf) }));
  const byAnswer = Map.groupBy(
    [
      ...peers.map(({ member: { machine }, answer }) => ({ machine, answer })),
      ...leftOut.map(({ machine }) => ({ machine, answer: 'not-asked' as const })),
    ],
    ({ answer }) => answer,
  );
  const all = members.length + leftOut.length;
  const sentences = answers.flatMap((answer) => {
    const machines = byAnswer.get(answer)?.map(({ machine }) => machine) ?? [];
    const [one, several] = answerWords[answer];
    return machines.length === 0 ? [] : [`${namesOf(machines)} ${machines.length === 1 ? one : several}`];
  });
  const found = asking === undefined ? '' : findingsOf(asking);
  const finding = `*${prose(finderOf(campaign), nameChars)}* found${found === '' ? ' something' : `: ${found}`}`;
  const sentence = `Of the ${all} asked: ${sentences.join(', ')}.`;
  return compose({
    text: `${finding}. ${sentence}`,
    head: [section(`:busts_in_silhouette: ${finding}`, campaignMainBlockId(id)), section(sentence)],
    body: [
      ...peers.flatMap(({ member, answer }) => lineOf(member, answer, runOf.get(member.machine))),
      ...leftOut.map(
        ({ machine, why }) => `*${prose(machine, nameChars)}* was not asked: ${prose(why, reasonChars)}`,
      ),
    ],
    tail: [
      context([
        progressWords(members),
        `asked by ${requesterWords(requester)} at ${formatMoment(acceptedAt)}`,
        codeSpan(id, nameChars),
      ]),
    ],
    more: (count) => `and ${count} more`,
  }).view;
}

function progressWords(members: readonly CampaignMember[]): string {
  const done = members.filter(({ state }) => state === 'done').length;
  if (members.length === 0) return ':no_entry_sign: nobody is asked';
  if (done === members.length) return ':checkered_flag: all have answered';
  return `:hourglass_flowing_sand: ${done} of ${members.length} are done`;
}

function answerOf(
  { machine, state }: CampaignMember,
  asking: Run | undefined,
  runOf: ReadonlyMap<string, Run>,
): PeerAnswer {
  const run = runOf.get(machine);
  if (run !== undefined) return peerAnswer(asking, run);
  return state === 'done' ? 'unknown' : 'pending';
}

function finderOf({ requester }: Campaign): string {
  return requester.kind === 'supervisor' ? requester.machine : '';
}

function namesOf(machines: readonly string[]): string {
  const named = machines.slice(0, shownNames).map((name) => `*${prose(name, nameChars)}*`);
  const more = machines.length - named.length;
  const words = [...named, ...(more > 0 ? [`${more} more`] : [])];
  const last = words.at(-1) ?? '';
  return words.length === 1 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

function findingsOf(run: Run): string {
  const bad: readonly Finding[] = worstFirst(run.findings.filter(isBad));
  const more = bad.length - shownFindings;
  const texts = bad.slice(0, shownFindings).map(({ text }) => prose(text, findingChars));
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** What a peer found, or why it could not, and the id by which its run is found. */
function lineOf(member: CampaignMember, answer: PeerAnswer, run: Run | undefined): readonly string[] {
  const alarm = member.inertnessUnknown ? [inertnessAlarm] : [];
  if (!told.has(answer) && alarm.length === 0) return [];
  const words = run && [runVerdictWords(run), findingsOf(run), reasonOf(run)];
  const said = words?.filter((word) => word !== undefined && word !== '') ?? [];
  const parts = [
    `*${prose(member.machine, nameChars)}*`,
    ...said,
    codeSpan(member.runId, nameChars),
    ...alarm,
  ];
  return [parts.join(' · ')];
}

function reasonOf({ failure, withheld }: Run): string | undefined {
  const reason = failure?.message ?? withheld?.reason;
  return reason === undefined ? undefined : prose(reason, reasonChars);
}
