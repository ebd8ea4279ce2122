import type { Campaign } from '../../fleet/campaign.ts';
import { latestFindings } from '../../fleet/latest-findings.ts';
import type { Run } from '../../fleet/run.ts';
import type { TraceLink } from '../ports.ts';
import { inertnessWords, runButtons, statusLines } from './run-main.ts';
import { codeSpan, prose, quoteLines } from './safe-text.ts';
import { buttonRow, compose, context, type FileContent, section, type View } from './view.ts';
import { findingWords } from './words.ts';

const commentChars = 1_500;
const contradictionChars = 300;

/** `block_id` of a machine's entry in a campaign's thread. */
export const campaignEntryBlockId = (runId: string) => `run:${runId}:entry`;

/** One machine that is not ok, in the campaign's thread. */
export function campaignEntryView(run: Run, options: { readonly traceLink: TraceLink }): View {
  const lines = statusLines(run);
  const { comment, contradictions = [] } = run.diagnosis ?? {};
  return compose({
    text: lines.slice(0, 2).join(' · '),
    head: [section(lines.join('\n'), campaignEntryBlockId(run.id))],
    body: [
      ...contradictions.map(
        (c) => `:rotating_light: *contradicts the evidence:* ${prose(c, contradictionChars)}`,
      ),
      ...(comment === undefined
        ? []
        : ["The agent's comment, not a verdict:", ...quoteLines(comment, commentChars)]),
    ],
    tail: [
      context([
        ...(run.state === 'done' && run.inertness !== 'unknown' ? [inertnessWords(run)] : []),
        codeSpan(run.id, 64),
      ]),
      ...buttonRow(`run:${run.id}:entry-buttons`, runButtons(run, options.traceLink)),
    ],
    more: (count) => `${count} more lines are left out here`,
  }).view;
}

/** Every machine of a finished campaign, as a file for its thread. */
export function campaignFile(campaign: Campaign, runs: readonly Run[]): FileContent {
  const entries = runs.map((run) => {
    const { diagnosis, failure, request, verdict } = run;
    return [
      `${request.machine}: ${verdict ?? run.state} (${run.id})`,
      ...(run.inertness === 'unknown' ? ['  INERTNESS UNKNOWN: quarantined'] : []),
      ...(failure === undefined ? [] : [`  ${failure.message}`]),
      ...latestFindings(run).map((finding) => `  ${finding.severity} ${findingWords(finding)}`),
      ...(diagnosis?.contradictions ?? []).map((sentence) => `  CONTRADICTS THE EVIDENCE: ${sentence}`),
      ...(diagnosis?.comment === undefined
        ? []
        : [`  agent: ${diagnosis.comment.trim().replaceAll('\n', '\n         ')}`]),
    ].join('\n');
  });
  return {
    filename: `${campaign.id}-machines.txt`,
    title: `All machines of campaign ${campaign.id}`,
    content: `${entries.join('\n\n')}\n`,
  };
}
