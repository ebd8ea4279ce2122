import type { Diagnosis, Run, ToolCall } from '../../fleet/run.ts';
import { runCostWords, tokenWords } from './cost-words.ts';
import { failureLines } from './failure-lines.ts';
import { codeSpan, prose, quoteLines } from './safe-text.ts';
import { compose, context, type FileContent, section, type View } from './view.ts';
import { enteredAt, span } from './words.ts';

const contradictionChars = 400;
const shownContradictions = 5;
const lineChars = 1_500;
const shownToolCalls = 5;
const shownDenied = 3;
const toolChars = 40;
const inputChars = 120;

function title(run: Run): string {
  return run.request.task.kind === 'ask'
    ? ":speech_balloon: *The agent's answer*, in its own words. Nothing in it was measured by fleetbot."
    : ":speech_balloon: *The agent's comment.* It is not a verdict: the verdict rests on the evidence alone.";
}

function contradictionLines(diagnosis: Diagnosis): readonly string[] {
  if (diagnosis.contradictions.length === 0) return [];
  const shown = diagnosis.contradictions.slice(0, shownContradictions);
  const rest = diagnosis.contradictions.length - shown.length;
  return [
    ':rotating_light: *THE AGENT CONTRADICTS THE EVIDENCE. Believe the evidence.*',
    ...shown.map((sentence) => `• ${prose(sentence, contradictionChars)}`),
    ...(rest > 0 ? [`• and ${rest} more`] : []),
  ];
}

function agentFailureLines(run: Run, diagnosis: Diagnosis): readonly string[] {
  if (diagnosis.failure === undefined) return [];
  const stands = run.findings.length > 0 ? ' The verdict above rests on the evidence alone and stands.' : '';
  const [explanation, ...detail] = failureLines(diagnosis.failure);
  return [`:x: *The agent failed.* ${explanation}${stands}`, ...detail];
}

/** What it wanted that is not to be had: a command of its own, or an action that cannot be asked for. */
function refusedWishLines({ deniedCommands = [], proposalProblem }: Diagnosis): readonly string[] {
  const shown = deniedCommands.slice(0, shownDenied).map(({ command, nearest }) => {
    const instead =
      nearest === undefined
        ? ''
        : ` What comes nearest is ${codeSpan(nearest, toolChars)}, which people can ask for with \`/fleet run\`.`;
    return `:no_entry: The agent wanted to run ${codeSpan(command, inputChars)}, which only an approval of its own would allow: denied at once.${instead}`;
  });
  const rest = deniedCommands.length - shown.length;
  return [
    ...shown,
    ...(rest > 0 ? [`and ${rest} more, denied as well`] : []),
    ...(proposalProblem === undefined
      ? []
      : [
          `:no_entry: What the agent proposes cannot be asked for: ${prose(proposalProblem, contradictionChars)}`,
        ]),
  ];
}

function toolCallWords(call: ToolCall): string {
  const took = span(call.endedAt - call.startedAt);
  return `${codeSpan(`${call.tool} ${call.input}`, toolChars + inputChars)} (${took}${call.failed ? ', failed' : ''})`;
}

function toolCallLine(calls: readonly ToolCall[]): string {
  if (calls.length === 0) return 'no tool calls reported';
  const rest = calls.length - shownToolCalls;
  const shown = calls.slice(0, shownToolCalls).map(toolCallWords).join(', ');
  const count = calls.length === 1 ? '1 tool call' : `${calls.length} tool calls`;
  return `${count}: ${shown}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function smallPrint(run: Run, diagnosis: Diagnosis): readonly string[] {
  const { usage, model } = diagnosis;
  const start = enteredAt(run, 'starting', 'first');
  const end = enteredAt(run, 'stopping', 'last');
  return [
    ...(usage === undefined ? ['tokens not reported'] : [tokenWords(usage), runCostWords(diagnosis)]),
    ...(model === undefined ? [] : [prose(model, 80)]),
    ...(start === undefined || end === undefined || end < start ? [] : [`agent was up ${span(end - start)}`]),
    ...(diagnosis.activations > 1 ? [`${diagnosis.activations} activations`] : []),
  ];
}

function diagnosisFile(run: Run, diagnosis: Diagnosis): FileContent {
  const calls = diagnosis.toolCalls.map((call) =>
    [`$ ${call.tool} ${call.input}${call.failed ? ' (failed)' : ''}`, call.output.trimEnd()].join('\n'),
  );
  const parts = [
    ...diagnosis.contradictions.map((sentence) => `CONTRADICTS THE EVIDENCE: ${sentence}`),
    diagnosis.comment ?? '',
    ...(calls.length === 0 ? [] : ['Tool calls, as the gateway reported them', ...calls]),
  ];
  return {
    filename: `${run.id}-agent.txt`,
    title: `Agent's words in run ${run.id}`,
    content: `The agent's own words, not a verdict.\n\n${parts.join('\n\n')}\n`,
  };
}

/** Whether the agent's part is over, so that there is something to show. */
function hasDiagnosis(run: Run): run is Run & { diagnosis: Diagnosis } {
  const { diagnosis } = run;
  return diagnosis !== undefined && (diagnosis.comment !== undefined || diagnosis.failure !== undefined);
}

export const runDiagnosisBlockId = (runId: string) => `run:${runId}:diagnosis`;

/**
 * The agent's part of a run, for its thread: contradictions with the evidence first, then its comment,
 * marked as such. What does not fit comes as a file. undefined while there is nothing to show.
 */
export function runDiagnosisView(run: Run): { view: View; file?: FileContent } | undefined {
  if (!hasDiagnosis(run)) return undefined;
  const { diagnosis } = run;
  const said = diagnosis.comment === undefined ? [] : quoteLines(diagnosis.comment, lineChars);
  const { view, leftOut } = compose({
    text: diagnosis.comment === undefined ? 'The agent failed' : `Agent: ${prose(diagnosis.comment, 300)}`,
    head: [
      section(
        [
          ...contradictionLines(diagnosis),
          ...agentFailureLines(run, diagnosis),
          ...refusedWishLines(diagnosis),
          ...(said.length > 0 ? [title(run)] : []),
        ].join('\n'),
        runDiagnosisBlockId(run.id),
      ),
    ],
    body: said,
    tail: [context([toolCallLine(diagnosis.toolCalls)]), context(smallPrint(run, diagnosis))],
    more: (count) => `${count} more lines are in the file below`,
  });
  const cut = leftOut > 0 || said.some((line) => line.length >= lineChars);
  return cut ? { view, file: diagnosisFile(run, diagnosis) } : { view };
}
