import type { ActionsBlock } from '@slack/types';
import type { Halt, ResumeWish } from '../../fleet/halt.ts';
import { agreeToResumeActionId, resumeActionId } from '../action-ids.ts';
import { button } from './view.ts';

/** `block_id` of a halt's buttons: tells which wish people saw when they clicked. */
export function haltButtonsBlockId(haltId: string, wish: ResumeWish | undefined): string {
  return wish === undefined ? `halt:${haltId}:buttons` : `halt:${haltId}:wish:${wish.at}`;
}

/** The buttons of a halt that still holds. */
export function haltButtons({ id, resumeWish }: Halt): ActionsBlock {
  const resume = button('Resume', resumeActionId, { value: id });
  const agree = button('Agree to resume', agreeToResumeActionId, { value: id }, 'primary');
  return {
    type: 'actions',
    block_id: haltButtonsBlockId(id, resumeWish),
    elements: resumeWish === undefined ? [resume] : [agree, resume],
  };
}
