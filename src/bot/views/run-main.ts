import type { Button } from '@slack/types';
import type { Finding } from '../../fleet/finding.ts';
import { formatMoment } from '../../fleet/format.ts';
import type { Halt } from '../../fleet/halt.ts';
import { latestFindings } from '../../fleet/latest-findings.ts';
import type { ActionRecord, Cancellation, Run } from '../../fleet/run.ts';
import { cancelActionId, feedbackActionIds, runAgainActionId } from '../action-ids.ts';
import type { TraceLink } from '../ports.ts';
import { approvalStateWords, hasAsked, subjectWords } from './approval-words.ts';
import { runCostWords } from './cost-words.ts';
import { failureLines } from './failure-lines.ts';
import { ratingWords } from './feedback-modal.ts';
import { haltWords } from './halted-line.ts';
import { beforeAfterLine, outcomeLine } from './outcome-words.ts';
import { requesterWords } from './requester-words.ts';
import { codeSpan, mention, notice, prose, quoteLines } from './safe-text.ts';
import { missingTrace, traceButton } from './trace-button.ts';
import { button, buttonRow, compose, context, section, type View } from './view.ts';
import { runVerdictWords, span, stateWords, taskWords, worstFirst } from './words.ts';

/** How many findings the headline names. */
const headlineFindings = 3;
const findingChars = 240;
/** How many machines are named whose supervisors were asked. */
const namedPeers = 10;
const detailChars = 300;
/** How much of an answer stands in the main message; all of it stands in the thread. */
const answerLines = 5;
const answerLineChars = 300;

/** `block_id` of a run's main message, by which recovery finds it. */
export const runMainBlockId = (runId: string) => `run:${runId}:main`;

/** The most important numbers, in one line: the worst findings; where all is ok the fullest. */
function headline(findings: readonly Finding[]): string | undefined {
  const sorted = worstFirst(findings);
  const bad = sorted.filter((finding) => finding.severity !== 'ok');
  const named = (bad.length > 0 ? bad : sorted).slice(0, headlineFindings);
  if (named.length === 0) return undefined;
  const rest = (bad.length > 0 ? bad.length : sorted.length) - named.length;
  const texts = named.map((finding) => prose(finding.text, findingChars));
  return [...texts, ...(rest > 0 ? [`and ${rest} more`] : [])].join(' · ');
}

/** What is known of the agent once the run is done, in the record's words. */
export function inertnessWords(run: Run): string {
  switch (run.inertness) {
    case 'never-started':
      return 'agent not started';
    case 'inactive':
      return 'agent measured inactive';
    case 'unknown':
      return ':rotating_light: *INERTNESS UNKNOWN*: the machine is quarantined until its agent is measured inactive';
  }
}

/** What a cancellation did to the agent's part, once it is known. */
function cancelledDiagnosis({ state, diagnosis }: Run): string {
  if (state !== 'done' || diagnosis === undefined || diagnosis.failure !== undefined) return '';
  return diagnosis.comment === undefined
    ? '; diagnosis ended by cancellation'
    : '; the agent had answered before';
}

/** The beginning of the agent's answer to a question, marked as its words. */
function answerBeginning({ request, diagnosis }: Run): readonly string[] {
  if (request.task.kind !== 'ask' || diagnosis?.comment === undefined) return [];
  const lines = quoteLines(diagnosis.comment, answerLineChars);
  const shown = lines.slice(0, answerLines);
  return ["The agent's own words:", ...shown, ...(shown.length < lines.length ? ['> …'] : [])];
}

/** Verdict, or state: a queued run waits for its machine to be resumed where the halt holds for it. */
function statusOf(run: Run, halt: Halt | undefined): string {
  const verdict = runVerdictWords(run);
  if (verdict !== undefined) return verdict;
  if (run.state !== 'queued' || halt === undefined) return stateWords[run.state];
  return `:octagonal_sign: queued: waits, because the machine is ${haltWords(halt)}`;
}

/** Who ended the run, or what. A run may have come to its own end before the wish reached it. */
function cancellationLine(run: Run, { userId, at, halt }: Cancellation): string {
  const wish = run.verdict === 'cancelled' ? 'cancelled' : 'cancellation asked for';
  const by = halt === undefined ? mention(userId) : `the halt ${codeSpan(halt, 64)} of ${mention(userId)}`;
  return `:no_entry_sign: ${wish} by ${by} at ${formatMoment(at)}${cancelledDiagnosis(run)}`;
}

/** What was asked of people, who decided it, and what came of it. */
function approvalLines(run: Run): readonly string[] {
  const asked = hasAsked(run)
    ? [`*${subjectWords(run.approval.question)}* · ${approvalStateWords(run)}`]
    : [];
  return [...asked, ...(run.action === undefined ? [] : actionLines(run.action, run.failure))];
}

/** What became of the action, also of one that people were never asked about, and why, where nothing else says it. */
function actionLines(action: ActionRecord, failure: Run['failure']): readonly string[] {
  const told = action.detail === '' || failure !== undefined || action.outcome === 'done';
  const numbers = action.after && headline(action.before?.findings ?? []);
  return [
    outcomeLine(action),
    ...(told ? [] : [notice(action.detail.replace(/\s+/g, ' '), detailChars)]),
    beforeAfterLine(action),
    ...(numbers === undefined ? [] : [`before: ${numbers}`]),
  ].filter((line) => line !== undefined);
}

/** Whose supervisors were asked; what they found is told in the same thread. */
function peersLine({ machines, campaign }: NonNullable<Run['peers']>): string {
  const named = machines.slice(0, namedPeers).map((name) => `*${prose(name, 64)}*`);
  const more = machines.length > namedPeers ? ` and ${machines.length - namedPeers} more` : '';
  return `:busts_in_silhouette: asked to check for the same: ${named.join(', ')}${more} (${codeSpan(campaign, 64)})`;
}

/** What the run did not do, and why. Of an action, its own line tells. */
function withheldLines({ withheld }: Run): readonly string[] {
  if (withheld === undefined || withheld.moment === 'action') return [];
  const by = withheld.by === undefined ? '' : ` · by ${mention(withheld.by.userId)}`;
  const words = `${prose(withheld.reason, detailChars)}${by}`;
  switch (withheld.moment) {
    case 'run':
      return [words];
    case 'agent':
      return [`:moneybag: the agent was not started: ${words}`];
    case 'escalation':
      return [`:mute: nobody was asked: ${words}`];
  }
}

/** Where people were asked before what the run would have asked them. */
function askedBeforeLine(before: NonNullable<Run['askedBefore']>): string {
  if (before.kind === 'question') {
    return `:raised_hand: people are asked already, in run ${codeSpan(before.run, 64)}: decide it there (${codeSpan(before.approval, 64)})`;
  }
  const taken = before.takenBy === undefined ? '' : `, taken by ${mention(before.takenBy.userId)}`;
  return `:telephone_receiver: nobody was asked: people on call were called already at ${formatMoment(before.at)} (${codeSpan(before.handOver, 64)})${taken}`;
}

/** What happened so far, one line each: verdict or state first. */
export function statusLines(run: Run, halt?: Halt): readonly string[] {
  const { machine, task } = run.request;
  const status = statusOf(run, halt);
  const lines = [`${status} · *${prose(machine, 64)}* · ${taskWords(task)}`];
  const numbers = headline(latestFindings(run));
  if (numbers !== undefined) lines.push(numbers);
  if (run.failure !== undefined) lines.push(...failureLines(run.failure));
  if (run.diagnosis !== undefined && run.diagnosis.contradictions.length > 0) {
    lines.push(':rotating_light: the agent contradicts the evidence: see the thread');
  }
  if (run.diagnosis?.failure !== undefined) lines.push(':x: the agent failed: see the thread');
  if (run.peers !== undefined) lines.push(peersLine(run.peers));
  lines.push(...approvalLines(run), ...withheldLines(run));
  if (run.askedBefore !== undefined) lines.push(askedBeforeLine(run.askedBefore));
  if (run.verdict !== undefined && run.state !== 'done' && run.state !== 'awaiting') {
    lines.push(stateWords[run.state]);
  }
  if (run.cancellation !== undefined) lines.push(cancellationLine(run, run.cancellation));
  if (run.state === 'done' && run.inertness === 'unknown') lines.push(inertnessWords(run));
  return lines;
}

function smallPrint(run: Run, link: TraceLink): readonly string[] {
  const parts = [
    `asked by ${requesterWords(run.request.requester)} at ${formatMoment(run.request.acceptedAt)}`,
  ];
  const end = run.timeline.at(-1);
  if (run.state === 'done' && end !== undefined) {
    parts.push(`took ${span(end.at - run.request.acceptedAt)}`);
    if (run.inertness !== 'unknown') parts.push(inertnessWords(run));
    if (run.diagnosis !== undefined) parts.push(runCostWords(run.diagnosis));
  }
  return [...parts, ...missingTrace(link), codeSpan(run.id, 64)];
}

/** Whether what was approved is under way, or was: nothing stops it any more. */
export function isActing({ state }: Run): boolean {
  return state === 'acting' || state === 'verifying';
}

/** Whether the run came to something that people can judge: a verdict, or words of the agent. */
export function hasAnswer({ state, verdict, withheld, diagnosis }: Run): boolean {
  if (state !== 'done' || withheld?.moment === 'run') return false;
  return verdict !== 'cancelled' || diagnosis?.comment !== undefined;
}

function feedbackButtons(run: Run): readonly Button[] {
  if (!hasAnswer(run)) return [];
  return (['good', 'bad'] as const).map((rating) =>
    button(ratingWords[rating], feedbackActionIds[rating], { value: run.id }),
  );
}

/** The buttons that make sense for a run as it is. */
export function runButtons(run: Run, link: TraceLink): readonly Button[] {
  const buttons: Button[] = [];
  if (run.state === 'done') buttons.push(button('Run again', runAgainActionId, { value: run.id }));
  else if (run.cancellation === undefined && !isActing(run)) {
    buttons.push(button('Cancel', cancelActionId, { value: run.id }, 'danger'));
  }
  return [...buttons, ...traceButton(link), ...feedbackButtons(run)];
}

/**
 * The one message of a run, as its record is now.
 *
 * @param options.halt the halt that holds for its machine
 */
export function runMainView(
  run: Run,
  options: { readonly traceLink: TraceLink; readonly halt?: Halt | undefined },
): View {
  const lines = statusLines(run, options.halt);
  return compose({
    text: lines.slice(0, 2).join(' · '),
    head: [section(lines.join('\n'), runMainBlockId(run.id))],
    body: answerBeginning(run),
    tail: [
      context(smallPrint(run, options.traceLink)),
      ...buttonRow(`run:${run.id}:buttons`, runButtons(run, options.traceLink)),
    ],
    more: () => '',
  }).view;
}
