import type { Redact } from '../ports.ts';
import { clip } from '../tidy-alert.ts';
import { blockLines } from './block-lines.ts';
import { type Attachment, attachmentSchema, type SlackMessage } from './message-schema.ts';
import { firstLink, plainText } from './plain-text.ts';

/** One piece of a message: its own text, or one of its attachments. */
export interface MessagePart {
  /** Its first line, without marks. */
  readonly title: string;
  /** The others. */
  readonly lines: readonly string[];
  /** Digits such as `a30200`. */
  readonly color?: string | undefined;
  readonly url?: string | undefined;
  readonly footer?: string | undefined;
}

/** Nothing that is read of an alert stands further on; the work must not grow with what somebody posts. */
const lineMaxCharacters = 1_000;
const linesMax = 500;

/** The pieces that say something, the message's own text first. Modern apps leave that empty. */
export function partsOf(
  message: SlackMessage,
  redact: Redact,
): { head?: MessagePart; attachments: readonly MessagePart[] } {
  // The text beside blocks only repeats them for notifications.
  const inBlocks = blockLines(message.blocks);
  const [head] = partFrom(inBlocks.some(isWritten) ? inBlocks : (message.text ?? '').split('\n'), redact);
  const attachments = message.attachments.flatMap((attachment) => {
    const read = attachmentSchema.safeParse(attachment).data;
    return read === undefined || read.from_url !== undefined ? [] : attachmentPart(read, redact);
  });
  return { ...(head && { head }), attachments };
}

function attachmentPart(attachment: Attachment, redact: Redact): readonly MessagePart[] {
  const { title, title_link, pretext, text, fallback, color, footer, fields } = attachment;
  const lines = [
    ...[title, pretext, text].flatMap((each) => each?.split('\n') ?? []),
    ...blockLines(attachment.blocks),
    ...fields.map((field) => `${field.title ?? ''}: ${field.value ?? ''}`),
  ];
  const written = lines.some(isWritten) ? lines : (fallback?.split('\n') ?? []);
  return partFrom(written, redact).map((part) => ({ ...part, color, footer, url: title_link ?? part.url }));
}

function partFrom(mrkdwn: readonly string[], redact: Redact): readonly MessagePart[] {
  // Before anything is cut: a secret of which a part is left is not known as one any more.
  const lines = redact(mrkdwn.join('\n')).split('\n');
  const shown = lines.slice(0, linesMax).map((line) => clip(line, lineMaxCharacters));
  const [title, ...others] = shown.map(plainText).filter(isWritten);
  return title === undefined
    ? []
    : [{ title: title.trim(), lines: others, url: firstLink(shown.join('\n')) }];
}

function isWritten(line: string): boolean {
  return line.trim() !== '';
}
