import type { Catalogue } from '../../fleet/action.ts';
import type { Campaign } from '../../fleet/campaign.ts';
import type { Halt, HaltMember } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Notice } from '../../fleet/notice.ts';
import type { Run } from '../../fleet/run.ts';
import type { CampaignMember, LinkTo, ViewPriority } from '../ports.ts';
import { campaignEntryBlockId, campaignEntryView, campaignFile } from '../views/campaign-entry.ts';
import { campaignMainBlockId, campaignMainView, notOk, shownMachines } from '../views/campaign-main.ts';
import { findingNoticeBlockId, findingNoticeView } from '../views/finding-notice.ts';
import { haltMainBlockId, haltMainView } from '../views/halt-main.ts';
import { runDiagnosisBlockId, runDiagnosisView } from '../views/run-diagnosis.ts';
import { runMainBlockId, runMainView } from '../views/run-main.ts';
import { runVerdictBlockId, runVerdictView } from '../views/run-verdict.ts';
import { approvalParts, askedMembers } from './approval-parts.ts';
import { file, message, type Parts, type Standing } from './part.ts';

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

/** Everything that should stand in Slack for a campaign. */
export async function campaignParts(
  { campaign, members }: { readonly campaign: Campaign; readonly members: readonly CampaignMember[] },
  standing: Standing,
  { linkTo, catalogue }: PartTools,
  loadRuns: (runIds: readonly string[]) => Promise<readonly Run[]>,
): Promise<Parts> {
  const done = members.every((member) => member.state === 'done');
  const main = message('main', campaignMainBlockId(campaign.id), campaignMainView(campaign, members));
  const entryIds = entryRunIds(members, standing);
  const wantsFile = done && entryIds.length < members.length && standing[machinesFile]?.posted === undefined;
  const entries = (await loadRuns(entryIds)).map((run) =>
    message(
      entryPrefix + run.id,
      campaignEntryBlockId(run.id),
      campaignEntryView(run, { traceLink: linkTo(run) }),
    ),
  );
  const asked = await loadRuns(askedMembers(members, standing));
  return {
    main: { ...main, priority: done ? 'verdict' : 'progress' },
    thread: [
      ...entries,
      ...asked.flatMap((run) => approvalParts(run, catalogue)),
      ...file(
        machinesFile,
        wantsFile ? campaignFile(campaign, await loadRuns(members.map((m) => m.runId))) : undefined,
      ),
    ],
  };
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

/** The message of a notice. */
export function noticeParts(notice: Notice, priority: ViewPriority): Parts {
  const view = findingNoticeView(notice);
  return { main: { ...message('main', findingNoticeBlockId(notice.id), view), priority }, thread: [] };
}
