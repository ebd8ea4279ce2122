import { createHash } from 'node:crypto';
import type { Posted, ViewPriority } from '../ports.ts';
import type { FileContent, View } from '../views/view.ts';

/** A message of a record, as it should stand in Slack. */
export interface MessagePart {
  readonly kind: 'message';
  readonly name: string;
  /** The `block_id` by which recovery finds it. */
  readonly blockId: string;
  readonly priority: ViewPriority;
  readonly view: View;
  /** The channel in which it stands, where that is not the record's thread. */
  readonly elsewhere?: string;
}

/** A file in a record's thread. Never changes once it is there. */
export interface FilePart {
  readonly kind: 'file';
  readonly name: string;
  readonly priority: ViewPriority;
  readonly file: FileContent;
}

export type Part = MessagePart | FilePart;

/** A record's message in the channel, and what belongs into the thread under it. */
export interface Parts {
  readonly main: MessagePart;
  readonly thread: readonly Part[];
}

/** What is known to stand in Slack, or was about to be posted, by part (see `Views.parts`). */
export type Standing = Readonly<Record<string, { readonly intended: number; readonly posted?: Posted }>>;

/** Short, and different whenever what people see is different. */
export function digestOf(part: Part): string {
  const shown = part.kind === 'file' ? part.file : part.view;
  return createHash('sha256').update(JSON.stringify(shown)).digest('base64url').slice(0, 22);
}

/** A message of the priority that most have. */
export const message = (name: string, blockId: string, view: View): MessagePart => ({
  kind: 'message',
  name,
  blockId,
  priority: 'verdict',
  view,
});

/** The file, where there is one. */
export const file = (name: string, content: FileContent | undefined): readonly FilePart[] =>
  content === undefined ? [] : [{ kind: 'file', name, priority: 'verdict', file: content }];
