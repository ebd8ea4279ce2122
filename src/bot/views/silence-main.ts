import { formatMoment } from '../../fleet/format.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { HeldBack, Silence } from '../../fleet/silence.ts';
import { endSilenceActionId } from '../action-ids.ts';
import { listed } from '../names-of.ts';
import type { SilenceState } from '../ports.ts';
import { codeSpan, mention, notice, prose } from './safe-text.ts';
import { heldBackLines, reasonChars, silenceWords, windowWords } from './silence-words.ts';
import { button, buttonRow, compose, context, section, type View } from './view.ts';

const selectorChars = 200;
const machinesChars = 600;

/** By another silence, those machines of one that is over are silenced still. */
export interface StillSilenced {
  readonly silence: Silence;
  readonly machines: readonly Machine[];
}

/** `block_id`s of a silence's messages, by which recovery finds them. */
export const silenceMainBlockId = (id: string) => `silence:${id}:main`;
export const silenceEndBlockId = (id: string) => `silence:${id}:end`;

const moreLines = (count: number) => `and ${count} more lines`;

/** The message of a person's silence: what it is for, and what it held back so far. */
export function silenceMainView(
  { silence, heldBack, over }: SilenceState,
  still: readonly StillSilenced[] = [],
): View {
  const { id, machines, from } = silence;
  const selector = codeSpan(machines, selectorChars);
  const head = over
    ? overWords(silence, selector, still)
    : `:mute: *Silenced*: ${selector} ${silenceWords(silence)}`;
  const lines = over ? [] : heldBackLines(heldBack);
  return compose({
    text: head,
    head: [section(head, silenceMainBlockId(id))],
    body: [...still.map(stillLine), ...(lines.length === 0 ? [] : ['Held back so far:', ...lines])],
    tail: [
      context([
        `since ${formatMoment(from)}`,
        ...(over
          ? []
          : [
              'nothing begins there by itself and nobody is asked; what people ask for goes on',
              'what people were asked before stays open until they decide or it expires; then nobody is called',
            ]),
      ]),
      ...buttonRow(
        `silence:${id}:buttons`,
        over ? [] : [button('End now', endSilenceActionId, { value: id })],
      ),
    ],
    more: moreLines,
  }).view;
}

/** The message of one that is over: the end under it tells what it held back. */
function overWords(
  { id, ended, reason, until }: Silence,
  selector: string,
  still: readonly StillSilenced[],
): string {
  const state = still.length === 0 ? ':loud_sound: *No longer silenced*' : ':mute: *This silence is over*';
  const by = ended === undefined ? '' : `, ended by ${mention(ended.by.userId)}`;
  const since = formatMoment(ended?.at ?? until);
  return `${state}: ${selector}, since ${since}${by}: ${prose(reason, reasonChars)} (${codeSpan(id, 100)})`;
}

function stillLine({ silence, machines }: StillSilenced): string {
  const { id, until } = silence;
  return `:mute: still silenced until ${formatMoment(until)} (${codeSpan(id, 100)}): ${notice(listed(machines), machinesChars)}`;
}

/**
 * That a silence or window is over, and what it held back. A message of its own, so that people hear of it; nobody is
 * mentioned where it held back nothing.
 */
export function silenceEndView(
  { silence, heldBack }: SilenceState,
  blockId: string,
  still: readonly StillSilenced[] = [],
): View {
  const isHeard = heldBack.length > 0;
  const head = `:loud_sound: ${whoseWords(silence, isHeard)} is over${endWords(silence, isHeard)}`;
  return compose({
    text: head,
    head: [section(head, blockId)],
    body: [...still.map(stillLine), ...summaryOf(heldBack)],
    tail: [],
    more: moreLines,
  }).view;
}

function whoseWords({ by, machines }: Silence, isHeard: boolean): string {
  const selector = codeSpan(machines, selectorChars);
  return by.kind === 'person'
    ? `${isHeard ? `${mention(by.userId)} ` : ''}The silence of ${selector}`
    : `${windowWords(by.window)} of ${selector}`;
}

function endWords({ ended, until }: Silence, isHeard: boolean): string {
  if (ended === undefined) return ` since ${formatMoment(until)}.`;
  const at = formatMoment(ended.at);
  return isHeard ? `: ${mention(ended.by.userId)} ended it at ${at}.` : `: ended before its time, at ${at}.`;
}

function summaryOf(heldBack: readonly HeldBack[]): readonly string[] {
  const lines = heldBackLines(heldBack);
  if (lines.length === 0) return ['It held nothing back.'];
  return ['Held back; alerts that still fire are looked at now, the rest is not made up for:', ...lines];
}
