import type { ModalView } from '@slack/types';
import type { Run } from '../../fleet/run.ts';
import { reasonModal } from './reason-modal.ts';
import { codeSpan, prose } from './safe-text.ts';
import { runVerdictWords, taskWords } from './words.ts';

/** What a person can make of an answer. */
export type Rating = 'good' | 'bad';

export const ratingWords: Readonly<Record<Rating, string>> = { good: '👍 Good', bad: '👎 Bad' };

/** Longest reason. */
export const feedbackReasonChars = 500;
/** Whoever finds an answer bad says why: without a reason nobody can do better next time. */
export const feedbackReasonMinChars: Readonly<Record<Rating, number>> = { good: 0, bad: 3 };

export const feedbackModalCallbackIds: Readonly<Record<Rating, string>> = {
  good: 'feedback-good',
  bad: 'feedback-bad',
};

const questions: Readonly<Record<Rating, string>> = {
  good: 'What was good about it?',
  bad: 'What is wrong with it?',
};

/** The window in which a person says why an answer is good or bad. Carries nothing but the run's id. */
export function feedbackModal(run: Run, rating: Rating): ModalView {
  const { machine, task } = run.request;
  const verdict = runVerdictWords(run);
  return reasonModal({
    callbackId: feedbackModalCallbackIds[rating],
    id: run.id,
    title: `${ratingWords[rating]} answer`,
    submit: 'Send',
    about: [
      ...(verdict === undefined ? [] : [verdict]),
      `*${prose(machine, 64)}*`,
      taskWords(task),
      codeSpan(run.id, 64),
    ].join(' · '),
    question: questions[rating],
    hint: 'Kept in the ledger and with the trace, under your name. Your last word counts.',
    minChars: feedbackReasonMinChars[rating],
    maxChars: feedbackReasonChars,
  });
}
