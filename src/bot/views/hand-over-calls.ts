import { type HandOver, isChannel, pagerOf } from '../../fleet/hand-over.ts';
import { becauseWords, handOverStateWords, takeButton } from './hand-over-main.ts';
import { channelLink, mention, prose } from './safe-text.ts';
import { section, type View } from './view.ts';

/** Messages that call people: an edit would tell nobody. What changes in them later is who has it, and the button. */

const whyChars = 500;

/** `block_id` of such a message, by which recovery finds it. */
export const handOverCallBlockId = (id: string, name: string) => `hand-over:${id}:${name}`;

function called(handOver: HandOver, name: string, words: string): View {
  const { takenBy } = handOver;
  const now = takenBy === undefined ? '' : `\n${handOverStateWords(handOver)}`;
  return {
    text: words,
    blocks: [
      section(`${words}${now}`, handOverCallBlockId(handOver.id, name)),
      ...takeButton(handOver, name),
    ],
  };
}

/**
 * The message that calls a target of Slack: a person or user group in the thread, a channel in the channel itself.
 * @param thread address of the thread, for a channel; undefined where it is not known
 */
export function handOverCallView(
  handOver: HandOver,
  target: string,
  name: string,
  thread: string | undefined,
): View {
  const { because, machine, origin, why } = handOver;
  const what = `*${prose(machine, 64)}*. ${prose(why, whyChars)} (${becauseWords[because]})`;
  if (!isChannel(target)) {
    return called(handOver, name, `:rotating_light: Escalated to ${mention(target)}: ${what}`);
  }
  const place = thread === undefined ? `in ${channelLink(origin.channel)}` : `<${thread}|in its thread>`;
  return called(handOver, name, `:rotating_light: Escalated to this channel: ${what}. All of it ${place}.`);
}

/** Everybody was called, and nobody took it: said once more to all of them. */
export function nobodyView(handOver: HandOver, name: string): View {
  const people = new Set(
    handOver.targets.filter((target) => pagerOf(target) === undefined && !isChannel(target)),
  );
  const to = people.size === 0 ? '' : `${[...people].map(mention).join(' ')} `;
  const words = `:rotating_light: ${to}*NOBODY HAS IT*: *${prose(handOver.machine, 64)}*. ${prose(handOver.why, whyChars)}. Everybody on call had their time, and nobody else is called. Look at the machine, and say here that you have it.`;
  return called(handOver, name, words);
}
