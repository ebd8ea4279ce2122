import type { ActionsBlock, Button, ContextBlock, HeaderBlock, KnownBlock, SectionBlock } from '@slack/types';
import { clip, fallbackChars, slackLimits } from './limits.ts';
import { notice } from './safe-text.ts';

/** A message: its blocks, and the text that notifications show instead. */
export interface View {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** A text file for a thread. The title holds the record's id and the part, so that recovery can find it. */
export interface FileContent {
  readonly filename: string;
  readonly title: string;
  readonly content: string;
}

const doubtChars = 500;

/** `verbatim` keeps Slack from turning names and addresses in the text into mentions and links. */
const mrkdwn = (text: string, maxChars: number) =>
  ({ type: 'mrkdwn', text: clip(text, maxChars), verbatim: true }) as const;

/** A header; `title` is ours, never foreign text. */
export function header(title: string): HeaderBlock {
  return {
    type: 'header',
    text: { type: 'plain_text', text: clip(title, slackLimits.headerChars), emoji: true },
  };
}

/** A section of mrkdwn that is safe already (see `safe-text.ts`). */
export function section(text: string, blockId?: string): SectionBlock {
  return {
    type: 'section',
    ...(blockId === undefined ? {} : { block_id: blockId }),
    text: mrkdwn(text, slackLimits.sectionChars),
  };
}

/** A line of small print, its parts separated by dots. */
export function context(parts: readonly string[]): ContextBlock {
  return { type: 'context', elements: [mrkdwn(parts.join(' · '), slackLimits.contextChars)] };
}

/** Why something may be missing from what the asker sees, where that is not certain. */
export function doubtLine(doubt: string | undefined): readonly ContextBlock[] {
  return doubt === undefined ? [] : [context([`:warning: ${notice(doubt, doubtChars)}`])];
}

/** A button. Its value is an opaque id, never a command. */
export function button(
  text: string,
  actionId: string,
  target: { readonly value: string } | { readonly url: string },
  style?: 'primary' | 'danger',
): Button {
  return {
    type: 'button',
    text: { type: 'plain_text', text: clip(text, slackLimits.buttonChars), emoji: false },
    action_id: actionId,
    ...target,
    ...(style === undefined ? {} : { style }),
  };
}

/** The row of buttons, or nothing: Slack refuses an empty row. */
export function buttonRow(blockId: string, buttons: readonly Button[]): readonly ActionsBlock[] {
  return buttons.length === 0 ? [] : [{ type: 'actions', block_id: blockId, elements: [...buttons] }];
}

/** A message in the making. Head and tail always stand; of the body as many items as fit. */
export interface Draft {
  readonly text: string;
  readonly head: readonly KnownBlock[];
  /** Pieces of safe mrkdwn, each at most a section long, in order of importance. */
  readonly body: readonly string[];
  readonly tail: readonly KnownBlock[];
  /** What stands in place of the items that do not fit. */
  readonly more: (leftOut: number) => string;
}

/** Bytes of JSON around a section's text, generously. */
const sectionOverheadChars = 120;
/** Kept free for the line that says how much was left out. */
const moreChars = 400;

const sizeOf = (value: unknown) => JSON.stringify(value).length;

/**
 * Packs the body into sections until a limit of Slack is reached.
 * @returns the view, and how many items of the body it leaves out
 */
export function compose(draft: Draft): { view: View; leftOut: number } {
  const sections: string[] = [];
  let size = sizeOf([...draft.head, ...draft.tail]) + moreChars;
  const room = slackLimits.blocksPerMessage - draft.head.length - draft.tail.length - 1;
  let shown = 0;
  for (const item of draft.body) {
    const last = sections.at(-1);
    const joins = last !== undefined && last.length + 1 + item.length <= slackLimits.sectionChars;
    const grown = size + sizeOf(item) + (joins ? 0 : sectionOverheadChars);
    if (grown > slackLimits.blocksChars || (!joins && sections.length === room)) break;
    if (joins) sections[sections.length - 1] = `${last}\n${item}`;
    else sections.push(item);
    size = grown;
    shown += 1;
  }
  const leftOut = draft.body.length - shown;
  const blocks = [
    ...draft.head,
    ...sections.map((text) => section(text)),
    ...(leftOut > 0 ? [context([draft.more(leftOut)])] : []),
    ...draft.tail,
  ];
  return { view: { text: clip(draft.text, fallbackChars), blocks }, leftOut };
}
