import type { CommandOutput } from '../../fleet/evidence.ts';
import type { Finding } from '../../fleet/finding.ts';
import { formatMoment } from '../../fleet/format.ts';
import type { Run } from '../../fleet/run.ts';
import { hasAsked } from './approval-words.ts';
import { slackLimits } from './limits.ts';
import { codeLines, codeSpan, prose } from './safe-text.ts';
import { compose, context, type FileContent, section, type View } from './view.ts';
import { findingWords, namesItself, taskWords, verdictWords, worstFirst } from './words.ts';

const subjectChars = 120;
const textChars = 500;
const commandChars = 300;
const excerptChars = 1_200;
/** Lines of output shown where none of them names the finding's subject. */
const excerptLines = 8;

/** The lines on which a finding rests: those that name its subject, under the first line (a table's heading). */
function relevantLines(output: CommandOutput, subject: string): string {
  const text = output.stdout.trim() === '' ? output.stderr : output.stdout;
  const lines = text.trimEnd().split('\n');
  // Looked for in the whole line first: outputs may have a hundred thousand lines.
  const naming = lines.filter(
    (line, index) => index > 0 && line.includes(subject) && line.split(/\s+/).includes(subject),
  );
  if (naming.length > 0) return [lines[0] ?? '', ...naming].join('\n');
  const shown = lines.slice(0, excerptLines);
  return shown.length < lines.length ? [...shown, '…'].join('\n') : shown.join('\n');
}

function ending(output: CommandOutput): string {
  return output.exitCode === null ? 'ended by its time limit or a signal' : `exit code ${output.exitCode}`;
}

function findingItem(run: Run, finding: Finding): string {
  const subject = namesItself(finding) ? [] : [codeSpan(finding.subject, subjectChars)];
  const words = [verdictWords[finding.severity], ...subject, prose(finding.text, textChars)].join(' · ');
  const output = run.evidence?.outputs[finding.output];
  if (output === undefined) return words;
  const source = `rests on ${codeSpan(output.argv.join(' '), commandChars)}, ${ending(output)}`;
  const excerpt = relevantLines(output, finding.subject);
  return [words, source, ...(excerpt === '' ? [] : [codeLines(excerpt, excerptChars)])].join('\n');
}

function evidenceFile(run: Run): FileContent {
  const findings = worstFirst(run.findings).map((f) => `${f.severity.padEnd(12)} ${findingWords(f)}`);
  const outputs = (run.evidence?.outputs ?? []).map((output) =>
    [
      `$ ${output.argv.join(' ')}`,
      `(${ending(output)}, ${Math.round(output.durationMs)} ms${output.truncated ? ', cut at the limit of the machine' : ''})`,
      output.stdout.trimEnd(),
      ...(output.stderr === '' ? [] : ['--- stderr', output.stderr.trimEnd()]),
    ].join('\n'),
  );
  return {
    filename: `${run.id}-evidence.txt`,
    title: `Evidence of run ${run.id}`,
    content: `${[findings.join('\n'), ...outputs].join('\n\n')}\n`,
  };
}

export const runVerdictBlockId = (runId: string) => `run:${runId}:verdict`;

/** Longer than one section: of such an output the message can show no more than an excerpt. */
function hasLongOutput(run: Run): boolean {
  const outputs = run.evidence?.outputs ?? [];
  return outputs.some(({ stdout, stderr }) => stdout.length + stderr.length > slackLimits.sectionChars);
}

/**
 * What the verdict rests on, for the run's thread: findings, worst first, each with its evidence. What does
 * not fit comes as a file. undefined while nothing was found, and where the outcome of an action tells it: what was
 * found before people decided must not be posted after it.
 */
export function runVerdictView(run: Run): { view: View; file?: FileContent } | undefined {
  const isAct = run.request.task.kind === 'act';
  if (run.findings.length === 0 || (run.verdict === undefined && !isAct)) return undefined;
  if (isAct && hasAsked(run) && (run.action?.before ?? run.action?.after) !== undefined) return undefined;
  const title = `*Findings on ${prose(run.request.machine, 64)}*, ${taskWords(run.request.task)}`;
  const { view, leftOut } = compose({
    text: `Findings of run ${prose(run.id, 64)}`,
    head: [section(title, runVerdictBlockId(run.id))],
    body: worstFirst(run.findings).map((finding) => findingItem(run, finding)),
    tail:
      run.evidence === undefined
        ? []
        : [context([`evidence of ${formatMoment(Date.parse(run.evidence.collectedAt))}`])],
    more: (count) => `${count} more findings, and the whole output, are in the file below`,
  });
  return leftOut > 0 || hasLongOutput(run) ? { view, file: evidenceFile(run) } : { view };
}
