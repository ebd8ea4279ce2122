import type { ActionsBlock } from '@slack/types';
import { formatMoment } from '../../fleet/format.ts';
import { type Call, type HandOver, pagerOf } from '../../fleet/hand-over.ts';
import { takeActionId } from '../action-ids.ts';
import { codeSpan, mention, prose } from './safe-text.ts';
import { targetWords } from './target-words.ts';
import { button, buttonRow, compose, context, section, type View } from './view.ts';

const whyChars = 500;
const problemChars = 300;
const reasonChars = 300;

/** `block_id` of a hand-over's message, by which recovery finds it. */
export const handOverMainBlockId = (id: string) => `hand-over:${id}:main`;

/** Why people are called, for all messages that call them. */
export const becauseWords: Readonly<Record<HandOver['because'], string>> = {
  approved: 'people agreed to escalate it',
  expired: 'nobody decided in time whether to escalate it',
};

/** The button with which a person takes it, until somebody has. @param part of which message it is */
export function takeButton({ id, takenBy }: HandOver, part: string): readonly ActionsBlock[] {
  if (takenBy !== undefined) return [];
  return buttonRow(`hand-over:${id}:${part}:take`, [
    button('I have it', takeActionId, { value: id }, 'primary'),
  ]);
}

/** What it has come to. One line. */
export function handOverStateWords({ calls, silenced, state, takenBy }: HandOver): string {
  if (takenBy !== undefined) {
    return `:white_check_mark: *${mention(takenBy.by.userId)} has it* since ${formatMoment(takenBy.at)}`;
  }
  switch (state) {
    case 'nobody':
      return ':rotating_light: *NOBODY HAS IT*: everybody on call had their time';
    case 'silenced': {
      const what = calls.length === 0 ? 'Not handed over' : 'Nobody else is called';
      const by = silenced?.by === undefined ? '' : ` · by ${mention(silenced.by.userId)}`;
      return `:mute: *${what}*: ${prose(silenced?.reason ?? 'silenced', reasonChars)}${by}`;
    }
    case 'delivered':
      return ':pager: *A pager took it*; nobody said here yet that they have it';
    default:
      return ':telephone_receiver: *Calling on-call*';
  }
}

function callWords({ target, at, delivered, problem }: Call, handOver: HandOver): string {
  const { calls, nextAt, state, targets } = handOver;
  if (problem !== undefined) return `:x: not reached at ${formatMoment(at)}: ${prose(problem, problemChars)}`;
  if (delivered) return `:white_check_mark: took it, called at ${formatMoment(at)}`;
  if (pagerOf(targets[target] ?? '') !== undefined) return `is being called since ${formatMoment(at)}`;
  const isLast = target === calls.length - 1 && state === 'calling' && nextAt !== undefined;
  return `called at ${formatMoment(at)}${isLast ? `, has until ${formatMoment(nextAt)} to take it` : ''}`;
}

/** Everybody on call, in order, with what became of their call. */
function targetLines(handOver: HandOver, stands: boolean): readonly string[] {
  const { calls, state, targets } = handOver;
  return targets.map((target, index) => {
    const call = calls[index];
    const none = state === 'calling' ? 'not called yet' : 'not called';
    return `${index + 1}. ${targetWords(target, stands && call !== undefined)}: ${call === undefined ? none : callWords(call, handOver)}`;
  });
}

/**
 * The one message that tells how far a hand-over is, and who has it. It calls nobody.
 * @param stands whether it is an edit
 */
export function handOverMainView(handOver: HandOver, stands: boolean = false): View {
  const { because, calls, id, machine, openedAt, state, why } = handOver;
  const headline = `${handOverStateWords(handOver)} · *${prose(machine, 64)}*`;
  return compose({
    text: `${headline}: ${prose(why, whyChars)}`,
    head: [section(`${headline}\n${prose(why, whyChars)}`, handOverMainBlockId(id))],
    body: targetLines(handOver, stands),
    tail: [
      context([
        `${calls.length === 0 && state === 'silenced' ? 'due' : 'handed over'} at ${formatMoment(openedAt)}, because ${becauseWords[because]}`,
        codeSpan(id, 64),
      ]),
      ...takeButton(handOver, 'main'),
    ],
    more: (count) => `and ${count} more`,
  }).view;
}
