import { createHash } from 'node:crypto';
import type { Halt, HaltMember } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Notice } from '../../fleet/notice.ts';
import type { Campaign } from '../../fleet/request.ts';
import type { Run } from '../../fleet/run.ts';
import type { CampaignMember, LinkTo, Posted, ViewPriority } from '../ports.ts';
import { campaignEntryBlockId, campaignEntryView, campaignFile } from '../views/campaign-entry.ts';
import { campaignMainBlockId, campaignMainView, notOk, shownMachines } from '../views/campaign-main.ts';
import { findingNoticeBlockId, findingNoticeView } from '../views/finding-notice.ts';
import { haltMainBlockId, haltMainView } from '../views/halt-main.ts';
import { runDiagnosisBlockId, runDiagnosisView } from '../views/run-diagnosis.ts';
import { runMainBlockId, runMainView } from '../views/run-main.ts';
import { runVerdictBlockId, runVerdictView } from '../views/run-verdict.ts';
import type { FileContent, View } from '../views/view.ts';

/** A message of a record, as it should stand in Slack. */
export interface MessagePart {
  readonly kind: 'message';
  readonly name: string;
  /** The `block_id` by which recovery finds it. */
  readonly blockId: string;
  readonly priority: ViewPriority;
  readonly view: View;
}

/** A file in a record's thread. Never changes once it is there. */
export interface FilePart {
  readonly kind: 'file';
  readonly name: string;
  readonly priority: ViewPriority;
  readonly file: FileContent;
}

export type Part = MessagePart | FilePart;

/** A record's message in the channel, and what belongs into the thread under it. */
export interface Parts {
  readonly main: MessagePart;
  readonly thread: readonly Part[];
}

/** Short, and different whenever what people see is different. */
export function digestOf(part: Part): string {
  const shown = part.kind === 'file' ? part.file : part.view;
  return createHash('sha256').update(JSON.stringify(shown)).digest('base64url').slice(0, 22);
}

const message = (name: string, blockId: string, view: View): MessagePart => ({
  kind: 'message',
  name,
  blockId,
  priority: 'verdict',
  view,
});

const file = (name: string, content: FileContent | undefined): readonly FilePart[] =>
  content === undefined ? [] : [{ kind: 'file', name, priority: 'verdict', file: content }];

/**
 * Everything that should stand in Slack for a run. The agent's file waits for the end: it cannot be edited.
 *
 * @param halt the halt that holds for its machine
 */
export function runParts(run: Run, linkTo: LinkTo, priority: ViewPriority, halt: Halt | undefined): Parts {
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
    ],
  };
}

/** What is known to stand in Slack, or was about to be posted, by part (see `Views.parts`). */
export type Standing = Readonly<Record<string, { readonly intended: number; readonly posted?: Posted }>>;

const entryPrefix = 'entry:';
const machinesFile = 'file:machines';

/**
 * The runs that get an entry in a campaign's thread: those that have one, and the worst others, as far as
 * there is room.
 */
function entryRunIds(members: readonly CampaignMember[], standing: Standing): readonly string[] {
  const earlier = members.map((m) => m.runId).filter((id) => standing[entryPrefix + id] !== undefined);
  const worst = notOk(members).map((member) => member.runId);
  return [...new Set([...earlier, ...worst])].slice(0, Math.max(shownMachines, earlier.length));
}

/** Everything that should stand in Slack for a campaign. */
export async function campaignParts(
  { campaign, members }: { readonly campaign: Campaign; readonly members: readonly CampaignMember[] },
  standing: Standing,
  linkTo: LinkTo,
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
  return {
    main: { ...main, priority: done ? 'verdict' : 'progress' },
    thread: [
      ...entries,
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
