import { formatMoment } from '../../fleet/format.ts';
import type { HeldBack, Silence } from '../../fleet/silence.ts';
import { endSilenceActionId } from '../action-ids.ts';
import type { SilenceState } from '../ports.ts';
import { codeSpan, mention } from './safe-text.ts';
import { heldBackLines, silenceWords, windowWords } from './silence-words.ts';
import { button, buttonRow, compose, context, section, type View } from './view.ts';

const selectorChars = 200;

/** `block_id`s of a silence's messages, by which recovery finds them. */
export const silenceMainBlockId = (id: string) => `silence:${id}:main`;
export const silenceEndBlockId = (id: string) => `silence:${id}:end`;

const moreLines = (count: number) => `and ${count} more lines`;

/** The message of a person's silence: what it is for, and what it held back so far. */
export function silenceMainView({ silence, heldBack, over }: SilenceState): View {
  const { id, machines, from } = silence;
  const state = over ? ':loud_sound: *No longer silenced*' : ':mute: *Silenced*';
  const head = `${state}: ${codeSpan(machines, selectorChars)} ${silenceWords(silence)}`;
  const lines = heldBackLines(heldBack);
  return compose({
    text: head,
    head: [section(head, silenceMainBlockId(id))],
    body: lines.length === 0 ? [] : ['Held back so far:', ...lines],
    tail: [
      context([
        `since ${formatMoment(from)}`,
        ...(over ? [] : ['nothing begins there by itself and nobody is asked; what people ask for goes on']),
      ]),
      ...buttonRow(
        `silence:${id}:buttons`,
        over ? [] : [button('End now', endSilenceActionId, { value: id })],
      ),
    ],
    more: moreLines,
  }).view;
}

/** That a silence or window is over, and what it held back. A message of its own, so that people hear of it. */
export function silenceEndView({ silence, heldBack }: SilenceState, blockId: string): View {
  const head = `:loud_sound: ${whoseWords(silence)} is over${endWords(silence)}`;
  return compose({
    text: head,
    head: [section(head, blockId)],
    body: summaryOf(heldBack),
    tail: [],
    more: moreLines,
  }).view;
}

function whoseWords({ by, machines }: Silence): string {
  const selector = codeSpan(machines, selectorChars);
  return by.kind === 'person'
    ? `${mention(by.userId)} The silence of ${selector}`
    : `${windowWords(by.window)} of ${selector}`;
}

function endWords({ ended, until }: Silence): string {
  if (ended === undefined) return ` since ${formatMoment(until)}.`;
  return `: ${mention(ended.by.userId)} ended it at ${formatMoment(ended.at)}.`;
}

function summaryOf(heldBack: readonly HeldBack[]): readonly string[] {
  const lines = heldBackLines(heldBack);
  if (lines.length === 0) return ['It held nothing back.'];
  return ['Held back; alerts that still fire are looked at now, the rest is not made up for:', ...lines];
}
