import { isChannel, pagerOf } from '../../fleet/hand-over.ts';
import { channelLink, codeSpan, mention } from './safe-text.ts';

const targetChars = 40;

/**
 * Who is called, without calling them: people and user groups are told only when it is their turn.
 * @param isTold they were called, and the words are an edit of a message that stands, which tells nobody: their name
 */
export function targetWords(target: string, isTold: boolean = false): string {
  const pager = pagerOf(target);
  if (pager !== undefined) return `pager ${codeSpan(pager, targetChars)}`;
  if (isChannel(target)) return channelLink(target);
  return isTold ? mention(target) : codeSpan(target, targetChars);
}
