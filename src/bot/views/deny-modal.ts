import type { ModalView } from '@slack/types';
import { type AskingRun, denialReasonChars, subjectWords } from './approval-words.ts';
import { reasonModal } from './reason-modal.ts';
import { prose } from './safe-text.ts';

/** Shorter ones say nothing. */
export const denialReasonMinChars = 3;
export const denyModalCallbackId = 'deny-reason';

/** The window in which a person says why they deny. Carries nothing but the approval's id. */
export function denyModal({ approval: { question } }: AskingRun): ModalView {
  return reasonModal({
    callbackId: denyModalCallbackId,
    id: question.id,
    title: 'Deny',
    submit: 'Deny',
    about: `*${subjectWords(question)}* on *${prose(question.machine, 64)}*`,
    question: 'Why?',
    hint: 'Everybody in the channel can read it, and it is kept in the ledger.',
    minChars: denialReasonMinChars,
    maxChars: denialReasonChars,
  });
}
