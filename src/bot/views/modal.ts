import type { ModalView } from '@slack/types';
import { clip, slackLimits } from './limits.ts';
import type { View } from './view.ts';

/** A window that shows something and does nothing. @param title of ours, never foreign text */
export function readingModal(title: string, { blocks }: Pick<View, 'blocks'>): ModalView {
  return { type: 'modal', title: plain(title), close: plain('Close'), blocks };
}

/** Text of ours in a window. @param maxChars those of a title or a button, where nothing else is said */
export function plain(text: string, maxChars: number = slackLimits.modalTitleChars) {
  return { type: 'plain_text', text: clip(text, maxChars), emoji: false } as const;
}
