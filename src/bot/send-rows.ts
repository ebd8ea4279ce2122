import { formatCount } from '../fleet/format.ts';
import type { Services } from './services.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';

/** Rows as the text of a file, and what it is called without its ending. */
export interface RowsFile {
  readonly name: string;
  readonly title: string;
  readonly format: 'json' | 'csv';
  readonly content: string;
  readonly rows: number;
}

/**
 * Sends a file of rows to a person, under a message in their direct messages. Returns what tells them where it is.
 * @throws InputError with a sentence for the person where it cannot be sent
 */
export async function sendRows(
  userId: string,
  message: View,
  { name, title, format, content, rows }: RowsFile,
  { sendFiles }: Pick<Services, 'sendFiles'>,
): Promise<View> {
  const filename = `${name}.${format === 'json' ? 'jsonl' : format}`;
  await sendFiles(userId, message, [{ filename, title: `${title} (${format})`, content }]);
  const counted = `${formatCount(rows)} ${rows === 1 ? 'row' : 'rows'}`;
  return noticeView({ text: `${counted} as a file: look into your direct messages with me.`, kind: 'info' });
}
