import type { ModalView } from '@slack/types';
import { type AskingRun, denialReasonChars, subjectWords } from './approval-words.ts';
import { plain } from './modal.ts';
import { prose } from './safe-text.ts';
import { section } from './view.ts';

const hintChars = 200;
/** Shorter ones say nothing. */
export const denialReasonMinChars = 3;
export const denyModalCallbackId = 'deny-reason';
/** Where the reason stands in what is submitted. */
export const reasonBlockId = 'reason';
export const reasonActionId = 'reason';

/** The window in which a person says why they deny. Carries nothing but the approval's id. */
export function denyModal({ approval: { question } }: AskingRun): ModalView {
  return {
    type: 'modal',
    callback_id: denyModalCallbackId,
    private_metadata: question.id,
    title: plain('Deny'),
    submit: plain('Deny'),
    close: plain('Back'),
    blocks: [
      section(`*${subjectWords(question)}* on *${prose(question.machine, 64)}*`),
      {
        type: 'input',
        block_id: reasonBlockId,
        label: plain('Why?'),
        hint: plain('Everybody in the channel can read it, and it is kept in the ledger.', hintChars),
        element: {
          type: 'plain_text_input',
          action_id: reasonActionId,
          multiline: true,
          min_length: denialReasonMinChars,
          max_length: denialReasonChars,
          focus_on_load: true,
        },
      },
    ],
  };
}
