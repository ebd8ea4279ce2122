import { type AskingRun, mentions, quorumWords, roundOf, subjectWords } from './approval-words.ts';
import { codeSpan, prose } from './safe-text.ts';
import { section, type View } from './view.ts';
import { moment } from './words.ts';

/** Messages that call people: an edit of the card would tell nobody. Each stands as it was posted. */

/** `block_id` of such a message, by which recovery finds it. */
export const approvalCallBlockId = (runId: string, name: string) => `run:${runId}:${name}`;

function call(run: AskingRun, name: string, words: string): View {
  return { text: words, blocks: [section(words, approvalCallBlockId(run.id, name))] };
}

function what({ approval: { question } }: AskingRun): string {
  return `*${subjectWords(question)}* on *${prose(question.machine, 64)}*`;
}

/** The current round is about to end. */
export function reminderView(run: AskingRun, name: string): View {
  const round = roundOf(run.approval);
  const until = round === undefined ? '' : ` until ${moment(round.endsAt)}`;
  const words = `:alarm_clock: ${mentions(round?.mention ?? [])} still to decide${until}: ${what(run)}. ${quorumWords(run.approval.question)}. The card above has the buttons (${codeSpan(run.approval.question.id, 64)}).`;
  return call(run, name, words);
}

/** Nobody answered in time: others are asked. */
export function passedOnView(run: AskingRun, name: string): View {
  const round = roundOf(run.approval);
  const until = round === undefined ? '' : ` until ${moment(round.endsAt)}`;
  const words = `:arrow_right: Nobody decided in time, so it is passed on to ${mentions(round?.mention ?? [])}${until}: ${what(run)}. The card above has the buttons (${codeSpan(run.approval.question.id, 64)}).`;
  return call(run, name, words);
}

/** People agreed that those on call should look at it. */
export function escalatedView(run: AskingRun, name: string): View | undefined {
  const { question, state } = run.approval;
  if (question.subject.kind !== 'escalation' || state !== 'approved') return undefined;
  const words = `:rotating_light: Escalated to ${mentions(question.subject.to)}: *${prose(question.machine, 64)}*. ${prose(question.why, 500)}`;
  return call(run, name, words);
}
