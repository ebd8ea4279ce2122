import { formatMoment } from '../../fleet/format.ts';
import type { Halt } from '../../fleet/halt.ts';
import { codeSpan, mention } from './safe-text.ts';

/** Of a halt that was lifted in many small steps, the last ones. */
const shownReleases = 5;
export const selectorChars = 200;

/** Who lifted the halt from what and when, one line each, in safe words. */
export function releaseLines({ releases }: Halt): readonly string[] {
  const rest = releases.length - shownReleases;
  const lines = releases.slice(-shownReleases).map(({ selector, by, agreedBy, at }) => {
    const agreed = agreedBy === undefined ? '' : `, ${mention(agreedBy.userId)} agreed`;
    return `:arrow_forward: ${mention(by.userId)} resumed ${codeSpan(selector, selectorChars)} at ${formatMoment(at)}${agreed}`;
  });
  return rest > 0 ? [`and ${rest} times before:`, ...lines] : lines;
}
