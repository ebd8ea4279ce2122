import { alikeOf } from '../fleet/alike.ts';
import type { Run } from '../fleet/run.ts';

/** What its campaign keeps of a run beside state and verdict: inertness ('' before its end), and `alikeOf`. */
export function campaignNote(run: Run): string {
  if (run.request.campaign === undefined) return ' ';
  return `${run.state === 'done' ? run.inertness : ''} ${alikeOf(run)}`;
}
