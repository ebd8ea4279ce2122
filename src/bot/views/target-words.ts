import { isChannel, pagerOf } from '../../fleet/hand-over.ts';
import { channelLink, codeSpan } from './safe-text.ts';

const targetChars = 40;

/** Who is called, without calling them: people and user groups are told only when it is their turn. */
export function targetWords(target: string): string {
  const pager = pagerOf(target);
  if (pager !== undefined) return `pager ${codeSpan(pager, targetChars)}`;
  return isChannel(target) ? channelLink(target) : codeSpan(target, targetChars);
}
