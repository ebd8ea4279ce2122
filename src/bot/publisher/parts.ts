import type { Catalogue } from '../../fleet/action.ts';
import type { Campaign } from '../../fleet/campaign.ts';
import type { Halt, HaltMember } from '../../fleet/halt.ts';
import type { Incident } from '../../fleet/incident.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Notice } from '../../fleet/notice.ts';
import type { Run } from '../../fleet/run.ts';
import type { CampaignMember, LinkTo, SilenceState, ViewPriority } from '../ports.ts';
import { campaignEntryBlockId, campaignEntryView } from '../views/campaign-entry.ts';
import { campaignFiles } from '../views/campaign-files.ts';
import {
  type CampaignDetails,
  campaignMainBlockId,
  campaignMainView,
  exampleRunIds,
  notOk,
  shownMachines,
} from '../views/campaign-main.ts';
import { progressOf } from '../views/campaign-progress.ts';
import { findingNoticeBlockId, findingNoticeView } from '../views/finding-notice.ts';
import { haltMainBlockId, haltMainView } from '../views/halt-main.ts';
import {
  incidentClosedBlockId,
  incidentClosedView,
  incidentMainBlockId,
  incidentMainView,
} from '../views/incident-main.ts';
import { type PeerFindings, peerFindingsView } from '../views/peer-findings.ts';
import { runDiagnosisBlockId, runDiagnosisView } from '../views/run-diagnosis.ts';
import { runMainBlockId, runMainView } from '../views/run-main.ts';
import { runVerdictBlockId, runVerdictView } from '../views/run-verdict.ts';
import {
  type StillSilenced,
  silenceEndBlockId,
  silenceEndView,
  silenceMainBlockId,
  silenceMainView,
} from '../views/silence-main.ts';
import type { View } from '../views/view.ts';
import { approvalParts, askedMembers } from './approval-parts.ts';
import { file, type MessagePart, message, type Part, type Parts, type Standing } from './part.ts';

/** What parts are made with beside the record. */
export interface PartTools {
  readonly linkTo: LinkTo;
  /** The actions of the fleet file in force. */
  readonly catalogue: Catalogue;
}

/**
 * Everything that should stand in Slack for a run. The agent's file waits for the end: it cannot be edited.
 *
 * @param halt the halt that holds for its machine
 */
export function runParts(
  run: Run,
  { linkTo, catalogue }: PartTools,
  priority: ViewPriority,
  halt: Halt | undefined,
): Parts {
  const verdict = runVerdictView(run);
  const diagnosis = runDiagnosisView(run);
  const view = runMainView(run, { traceLink: linkTo(run), halt });
  return {
    main: { ...message('main', runMainBlockId(run.id), view), priority },
    thread: [
      ...(verdict === undefined ? [] : [message('verdict', runVerdictBlockId(run.id), verdict.view)]),
      ...file('file:evidence', verdict?.file),
      ...(diagnosis === undefined ? [] : [message('diagnosis', runDiagnosisBlockId(run.id), diagnosis.view)]),
      ...file('file:agent', run.state === 'done' ? diagnosis?.file : undefined),
      ...approvalParts(run, catalogue),
    ],
  };
}

const entryPrefix = 'entry:';
const machinesFile = 'file:machines';

/**
 * The runs that get an entry in a campaign's thread: those that have one, and the worst others, as far as
 * there is room.
 */
function entryRunIds(members: readonly CampaignMember[], standing: Standing): readonly string[] {
  const earlier = members.map((m) => m.runId).filter((id) => standing[entryPrefix + id] !== undefined);
  // Of one that waits for people the card tells.
  const worst = notOk(members.filter(({ state }) => state !== 'awaiting')).map((member) => member.runId);
  return [...new Set([...earlier, ...worst])].slice(0, Math.max(shownMachines, earlier.length));
}

/** What a campaign's parts are made with. */
export interface CampaignPartTools extends PartTools, Pick<CampaignDetails, 'now' | 'halted'> {
  readonly loadRuns: (runIds: readonly string[]) => Promise<readonly Run[]>;
}

/** Everything that should stand in Slack for a campaign. */
export async function campaignParts(
  { campaign, members }: { readonly campaign: Campaign; readonly members: readonly CampaignMember[] },
  standing: Standing,
  { linkTo, catalogue, now, halted, loadRuns }: CampaignPartTools,
): Promise<Parts> {
  const { isOver } = progressOf(campaign, members);
  // Of what began by itself nobody waits for a list.
  const withFiles = isOver && campaign.requester.kind === 'person';
  const asked = askedMembers(members, standing);
  const entryIds = entryRunIds(members, standing);
  const shownIds = [...entryIds, ...exampleRunIds(members), ...asked.map(({ runId }) => runId)];
  const runs = new Map((await loadRuns([...new Set(shownIds)])).map((run) => [run.id, run]));
  const unmentioned = asked.filter(({ isWaiting, mentions }) => isWaiting && !mentions).length;
  const traceLink = linkTo({ campaign: campaign.id });
  const view = campaignMainView(campaign, members, { examples: runs, now, halted, unmentioned, traceLink });
  const entries = entryIds.flatMap((id) => {
    const run = runs.get(id);
    if (run === undefined) return [];
    const entry = campaignEntryView(run, { traceLink: linkTo(run) });
    return [message(entryPrefix + id, campaignEntryBlockId(id), entry)];
  });
  const cards = asked.flatMap((each) => {
    const run = runs.get(each.runId);
    return run === undefined ? [] : approvalParts(run, catalogue, each);
  });
  return {
    main: {
      ...message('main', campaignMainBlockId(campaign.id), view),
      priority: isOver || campaign.stopped !== undefined ? 'verdict' : 'progress',
    },
    thread: [
      ...entries,
      ...cards,
      ...(withFiles ? await machineFiles(campaign, members, standing, loadRuns) : []),
    ],
  };
}

/** Every machine of a campaign that is over; nothing once the files stand: they never change. */
async function machineFiles(
  campaign: Campaign,
  members: readonly CampaignMember[],
  standing: Standing,
  loadRuns: CampaignPartTools['loadRuns'],
): Promise<readonly Part[]> {
  const names = { csv: `${machinesFile}:csv`, json: `${machinesFile}:json` };
  const stand = Object.values(names).every((name) => standing[name]?.posted !== undefined);
  if (members.length === 0 || stand) return [];
  const { csv, json } = campaignFiles(campaign, await loadRuns(members.map(({ runId }) => runId)));
  return [...file(names.csv, csv), ...file(names.json, json)];
}

/** Peers' campaign: one message, in the thread of the run that asked them. */
export function peerParts(found: PeerFindings): Parts {
  const { campaign, members } = found;
  const main = message('main', campaignMainBlockId(campaign.id), peerFindingsView(found));
  const done = members.every((member) => member.state === 'done');
  return { main: { ...main, priority: done ? 'verdict' : 'progress' }, thread: [] };
}

/** Everything that should stand in Slack for a halt. */
export function haltParts(
  { halt, members }: { readonly halt: Halt; readonly members: ReadonlyMap<string, HaltMember> },
  machines: ReadonlyMap<string, Machine>,
): Parts {
  const { view, file: content } = haltMainView(halt, members, machines);
  return {
    main: { ...message('main', haltMainBlockId(halt.id), view), priority: 'decision' },
    thread: file(machinesFile, content),
  };
}

/** Everything that should stand in Slack for an incident, beside what its runs say. */
export function incidentParts(
  incident: Incident,
  { linkTo }: Pick<PartTools, 'linkTo'>,
  priority: ViewPriority,
): Parts {
  const { id } = incident;
  const closed = incidentClosedView(incident);
  return {
    main: {
      ...message('main', incidentMainBlockId(id), incidentMainView(incident, linkTo({ incident: id }))),
      priority,
    },
    thread: closed === undefined ? [] : [message('closed', incidentClosedBlockId(id), closed)],
  };
}

/**
 * Everything that should stand in Slack for a silence: of a person's its message, and its end under it, which people
 * then hear of. A window says nothing before its end.
 *
 * @param still what of its machines is silenced still, once it is over
 */
export function silenceParts(state: SilenceState, still: readonly StillSilenced[] = []): Parts | undefined {
  const { id, by } = state.silence;
  const main = (view: View): MessagePart => ({
    ...message('main', silenceMainBlockId(id), view),
    priority: 'decision',
  });
  const end = silenceEndBlockId(id);
  if (by.kind === 'person') {
    const thread = state.over ? [message('end', end, silenceEndView(state, end, still))] : [];
    return { main: main(silenceMainView(state, still)), thread };
  }
  if (!state.over) return undefined;
  return { main: main(silenceEndView(state, silenceMainBlockId(id), still)), thread: [] };
}

/** The message of a notice. */
export function noticeParts(notice: Notice, priority: ViewPriority): Parts {
  const view = findingNoticeView(notice);
  return { main: { ...message('main', findingNoticeBlockId(notice.id), view), priority }, thread: [] };
}
