import type { Origin } from '../../fleet/request.ts';
import type { Posted, Views } from '../ports.ts';
import type { Standing } from './part.ts';

/** The name of every record's part that is the root of what belongs to it. */
export const mainPart = 'main';
/** `ts` of a part that people deleted twice: they do not want it, so it is not posted a third time. */
export const givenUp = '';

/** Where a record's messages stand: in their own thread, or in one that somebody else began. */
export interface Home {
  readonly channel: string;
  readonly threadTs?: string;
}

/** The root of the thread in which the message stands: itself where it begins one. */
export function rootOf({ ts, thread }: Posted): string {
  return thread ?? ts;
}

/**
 * Where a record's messages stand or go. A main message that stands already decides; else the thread that was named,
 * or the one under the message of the record that was named, which may stand in a thread itself.
 *
 * @param options.exists whether a record that does not stand in Slack is still known; where it is not, it never will
 * @returns `not-yet` until that record's message stands; `unwanted` where people keep deleting it
 */
export async function homeOf(
  { channel, threadTs, under }: Origin,
  standing: Standing,
  options: { readonly views: Pick<Views, 'parts'>; readonly exists: (id: string) => Promise<boolean> },
): Promise<Home | 'not-yet' | 'unwanted'> {
  const own = standing[mainPart]?.posted;
  if (own?.thread !== undefined) return homeIn(own);
  if (threadTs !== undefined) return { channel, threadTs };
  if (under === undefined) return { channel };
  const above = (await options.views.parts(under))[mainPart]?.posted;
  if (above?.ts === givenUp) return 'unwanted';
  if (above !== undefined) return { channel: above.channel, threadTs: rootOf(above) };
  return (await options.exists(under)) ? 'not-yet' : { channel };
}

function homeIn({ channel, ts, thread }: Posted): Home {
  return thread === undefined || thread === ts ? { channel } : { channel, threadTs: thread };
}
