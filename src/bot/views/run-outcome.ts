import { formatMoment } from '../../fleet/format.ts';
import type { ActionRecord, Measurement } from '../../fleet/run.ts';
import { undoActionId } from '../action-ids.ts';
import { type AskingRun, subjectWords } from './approval-words.ts';
import { beforeAfterLine, outcomeLine } from './outcome-words.ts';
import { codeLines, codeSpan, prose } from './safe-text.ts';
import { shownCommand } from './shown-command.ts';
import { button, buttonRow, compose, context, type FileContent, section, type View } from './view.ts';
import { findingWords, span, verdictWords, worstFirst } from './words.ts';

const detailChars = 500;
const findingChars = 300;
const shownFindings = 3;
const commandChars = 20_000;
const outputChars = 1_200;

export const runOutcomeBlockId = (runId: string) => `run:${runId}:outcome`;

function measurementLines(when: string, measured: Measurement | undefined): readonly string[] {
  if (measured === undefined) return [];
  const { findings, verdict, evidence } = measured;
  const at = evidence === undefined ? '' : ` (evidence of ${formatMoment(Date.parse(evidence.collectedAt))})`;
  const shown = worstFirst(findings).slice(0, shownFindings);
  const rest = findings.length - shown.length;
  return [
    `*${when}*: ${verdictWords[verdict]}${at}`,
    ...shown.map((finding) => `• ${prose(findingWords(finding), findingChars)}`),
    ...(rest > 0 ? [`• and ${rest} more`] : []),
  ];
}

function outputLines({ stdout, stderr }: ActionRecord): readonly string[] {
  return [
    ...(stdout.trim() === '' ? [] : ['what it wrote:', codeLines(stdout, outputChars)]),
    ...(stderr.trim() === '' ? [] : ['what it wrote as errors:', codeLines(stderr, outputChars)]),
  ];
}

function smallPrint({ begunAt, endedAt, exitCode }: ActionRecord): readonly string[] {
  return [
    ...(begunAt === undefined ? [] : [`began at ${formatMoment(begunAt)}`]),
    ...(begunAt === undefined || endedAt === undefined ? [] : [`took ${span(endedAt - begunAt)}`]),
    ...(exitCode === undefined
      ? []
      : [exitCode === null ? 'ended by its time limit or a signal' : `exit code ${exitCode}`]),
  ];
}

/** Whether something may have changed that did not help, and there is a way back. */
export function wantsUndo({ state, approval, action }: AskingRun): boolean {
  const { subject } = approval.question;
  if (state !== 'done' || subject.kind !== 'action' || subject.undo === undefined) return false;
  switch (action?.outcome) {
    case 'failed':
    case 'unknown':
      return true;
    case 'done':
      return action.effect !== 'confirmed' && action.effect !== 'better';
    default:
      return false;
  }
}

function outputFile(run: AskingRun, { stdout, stderr }: ActionRecord): FileContent {
  const { subject } = run.approval.question;
  const command = subject.kind === 'action' ? shownCommand(subject.argv, commandChars) : '';
  return {
    filename: `${run.id}-action.txt`,
    title: `Output of the action of run ${run.id}`,
    content: `${[`$ ${command}`, stdout.trimEnd(), ...(stderr === '' ? [] : ['--- stderr', stderr.trimEnd()])].join('\n')}\n`,
  };
}

/**
 * What became of the action that people approved, for the run's thread: outcome, before and after, what it wrote.
 * What does not fit comes as a file, once the run is done. undefined while there is none.
 */
export function runOutcomeView(run: AskingRun): { view: View; file?: FileContent } | undefined {
  const { action, approval, state } = run;
  if (action?.outcome === undefined) return undefined;
  const change = beforeAfterLine(action);
  const title = `${outcomeLine(action)} · *${prose(approval.question.machine, 64)}* · ${subjectWords(approval.question)}`;
  const undo = wantsUndo(run) ? [button('Undo', undoActionId, { value: run.id })] : [];
  const { view, leftOut } = compose({
    text: [title, change].filter((line) => line !== undefined).join(' · '),
    head: [
      section(
        [
          title,
          ...(action.detail === '' ? [] : [prose(action.detail, detailChars)]),
          ...(change === undefined ? [] : [change]),
        ].join('\n'),
        runOutcomeBlockId(run.id),
      ),
    ],
    body: [
      ...measurementLines('Before', action.before),
      ...measurementLines('After', action.after),
      ...outputLines(action),
    ],
    tail: [
      context([...smallPrint(action), codeSpan(run.id, 64)]),
      ...buttonRow(`run:${run.id}:outcome-buttons`, undo),
    ],
    more: (count) => `${count} more lines are left out here`,
  });
  const cut = leftOut > 0 || Math.max(action.stdout.length, action.stderr.length) > outputChars;
  return cut && state === 'done' ? { view, file: outputFile(run, action) } : { view };
}
