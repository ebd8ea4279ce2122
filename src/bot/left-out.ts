import type { Halt } from '../fleet/halt.ts';
import type { OverLimit } from '../fleet/left-out.ts';
import type { Machine } from '../fleet/machine.ts';
import { describeTask, type Task } from '../fleet/request.ts';
import { listed } from './names-of.ts';
import { haltedLine } from './views/halted-line.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';

const shortTaskChars = 200;

/** What of the selector the task was not given to, and what is in its way where it was. */
export interface LeftOut {
  /** Parts of the selector that match no machine. */
  readonly unmatched: readonly string[];
  /** Those that the check is not authorised for. */
  readonly unable: readonly Machine[];
  /** Those that the person may not give it to, in words. */
  readonly forbidden: string | undefined;
  readonly halted: ReadonlyMap<Halt, readonly Machine[]>;
  readonly overLimit: readonly OverLimit[];
  /** Sentences about machines whose runs first measure them. */
  readonly quarantined: readonly string[];
  /** Sentences about machines that are silenced. */
  readonly silenced: readonly string[];
  /** Why nothing would come of an approval, in sentences. */
  readonly unsigned: readonly string[];
}

/** undefined where every machine that was asked for is served by a message of its own, without delay. */
export function leftOutView(
  task: Task,
  machines: readonly Machine[],
  { unmatched, unable, forbidden, halted, overLimit, quarantined, silenced, unsigned }: LeftOut,
): View | undefined {
  const sentences = [
    machines.length > 1 ? `${machines.length} machines: ${shortTask(task)}. One summary appears here.` : '',
    unmatched.length > 0 ? `Nothing matches ${unmatched.map((part) => `\`${part}\``).join(', ')}.` : '',
    unable.length > 0
      ? `Left out, because the fleet file does not list this check for: ${listed(unable)}.`
      : '',
    forbidden === undefined ? '' : `Left out, because you may not: ${forbidden}`,
    ...overLimit.map(({ machines: over, why }) => `Left out: ${listed(over)}. ${why}`),
    ...quarantined,
    ...silenced,
    ...unsigned,
  ].filter((sentence) => sentence !== '');
  const lines = [...halted].map(([halt, those]) => `Left out: ${haltedLine(halt, those)}`);
  if (sentences.length === 0 && lines.length === 0) return undefined;
  const text = sentences.length === 0 ? `Stored for ${listed(machines)}.` : sentences.join('\n');
  return noticeView({ text, lines, kind: unsigned.length > 0 ? 'warning' : 'info' });
}

/** The task in a sentence that leaves room for others: a notice that is too long is cut at its end. */
function shortTask(task: Task): string {
  const words = describeTask(task);
  return words.length <= shortTaskChars ? words : `${words.slice(0, shortTaskChars)}…`;
}
