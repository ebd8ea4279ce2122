import type { ModalView } from '@slack/types';
import { plain } from './modal.ts';
import { section } from './view.ts';

const hintChars = 200;
const labelChars = 100;

/** Where the reason stands in what is submitted. */
export const reasonBlockId = 'reason';
export const reasonActionId = 'reason';

/** A window that asks one person why. */
export interface ReasonWindow {
  readonly callbackId: string;
  /** Id of the record that it is about; the window carries nothing else. */
  readonly id: string;
  readonly title: string;
  /** What the button says that submits it. */
  readonly submit: string;
  /** What it is about, as safe mrkdwn. */
  readonly about: string;
  readonly question: string;
  readonly hint: string;
  /** 0: nothing need be said. */
  readonly minChars: number;
  readonly maxChars: number;
}

/** The window. Its words are ours, but for `about`. */
export function reasonModal(window: ReasonWindow): ModalView {
  const { minChars } = window;
  return {
    type: 'modal',
    callback_id: window.callbackId,
    private_metadata: window.id,
    title: plain(window.title),
    submit: plain(window.submit),
    close: plain('Back'),
    blocks: [
      section(window.about),
      {
        type: 'input',
        block_id: reasonBlockId,
        label: plain(window.question, labelChars),
        hint: plain(window.hint, hintChars),
        ...(minChars === 0 && { optional: true }),
        element: {
          type: 'plain_text_input',
          action_id: reasonActionId,
          multiline: true,
          ...(minChars > 0 && { min_length: minChars }),
          max_length: window.maxChars,
          focus_on_load: true,
        },
      },
    ],
  };
}
