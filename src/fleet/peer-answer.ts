import type { Finding } from './finding.ts';
import { isBad, withoutNumbers, withoutOwnName } from './finding-shape.ts';
import type { Run } from './run.ts';

/**
 * What a peer's run says of what the asking run found: `same` trouble in the same words, numbers and the machines' own
 * names aside; `similar`: about the same subject, in other words; `other` trouble; `none` at all; `unknown` where it
 * could not be found out.
 */
export type PeerAnswer = 'same' | 'similar' | 'other' | 'none' | 'unknown' | 'pending';

/** @param asking undefined where its record is not kept any more: nothing can be compared with it */
export function peerAnswer(asking: Run | undefined, peer: Run): PeerAnswer {
  if (peer.verdict === undefined && peer.state !== 'done') return 'pending';
  const found = troubles(peer);
  if (found.length === 0) return peer.verdict === 'ok' ? 'none' : 'unknown';
  const known = asking === undefined ? [] : troubles(asking);
  const alike = found.filter(({ subject }) => known.some((one) => one.subject === subject));
  if (alike.length === 0) return 'other';
  const isSame = alike.some(({ subject, text }) =>
    known.some((one) => one.subject === subject && one.text === text),
  );
  return isSame ? 'same' : 'similar';
}

/** What was wrong, also where it was cured since, in words that are the same on every machine. */
function troubles(run: Run): readonly Pick<Finding, 'subject' | 'text'>[] {
  const plain = withoutOwnName(run.request.machine);
  return run.findings
    .filter(isBad)
    .map(({ subject, text }) => ({ subject: withoutNumbers(subject), text: plain(text) }));
}
