import { endOf, type Question } from '../../fleet/approval.ts';
import { formatMoment } from '../../fleet/format.ts';
import { paramWords } from '../../fleet/request.ts';
import { type AskingRun, mentions, quorumWords, roundOf, subjectWords } from './approval-words.ts';
import { requesterWords } from './requester-words.ts';
import { codeSpan, prose } from './safe-text.ts';
import { section, type View } from './view.ts';

/** Messages that call people: an edit of the card would tell nobody. Each stands as it was posted. */

/** Longer commands are not told to be typed again: what is cut would be another one. */
const againChars = 300;
/** One word of such a command that stands in a message as it is to be typed. */
const typedWord = /^[!-_a-~]+$/;

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
  const until = round === undefined ? '' : ` until ${formatMoment(round.endsAt)}`;
  const words = `:alarm_clock: ${mentions(round?.mention ?? [])} still to decide${until}: ${what(run)}. ${quorumWords(run.approval.question)}. The card above has the buttons (${codeSpan(run.approval.question.id, 64)}).`;
  return call(run, name, words);
}

/** Too few answered in time: others are asked. */
export function passedOnView(run: AskingRun, name: string): View {
  const round = roundOf(run.approval);
  const until = round === undefined ? '' : ` until ${formatMoment(round.endsAt)}`;
  const words = `:arrow_right: ${whoDecided(run)} decided in time, so it is passed on to ${mentions(round?.mention ?? [])}${until}: ${what(run)}. The card above has the buttons (${codeSpan(run.approval.question.id, 64)}).`;
  return call(run, name, words);
}

/** As it was when the round before ended: the message stays as it is when somebody decides later. */
function whoDecided({ approval: { question, round, votes } }: AskingRun): string {
  const endedAt = question.rounds[round - 1]?.endsAt ?? question.askedAt;
  return votes.some(({ decision }) => decision.at < endedAt) ? 'Too few people' : 'Nobody';
}

/** Nobody, or not everybody who had to, decided in time: whoever asked is told, and what to do now. */
export function expiredView(run: AskingRun, name: string): View | undefined {
  const { question, state } = run.approval;
  if (state !== 'expired') return undefined;
  const until = formatMoment(endOf(question));
  const words = `:hourglass: Expired, because not enough people decided until ${until}: ${what(run)}, asked for by ${requesterWords(question.requester)}. ${afterExpiry(question)}`;
  return call(run, name, words);
}

function afterExpiry({ machine, subject }: Question): string {
  if (subject.kind === 'escalation') {
    return subject.to.length === 0
      ? 'Nobody is on call: look at the machine.'
      : 'So those on call are called, one after the other, unless the machine is silenced: see below.';
  }
  const words = [machine, subject.action, ...paramWords(subject.params)];
  const again = ['/fleet run', ...words].join(' ');
  const canBeTyped = again.length <= againChars && words.every((word) => typedWord.test(word));
  return canBeTyped
    ? `Nothing was changed. To ask for it again: ${codeSpan(again, againChars)}`
    : 'Nothing was changed.';
}
