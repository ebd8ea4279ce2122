import type { Run } from '../../fleet/run.ts';
import type { TraceLink } from '../ports.ts';
import { inertnessWords, runButtons, statusLines } from './run-main.ts';
import { codeSpan, prose, quoteLines } from './safe-text.ts';
import { buttonRow, compose, context, section, type View } from './view.ts';

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
