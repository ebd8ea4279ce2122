import { slackLimits } from './limits.ts';
import { notice } from './safe-text.ts';
import { compose, section, type View } from './view.ts';

export type NoticeKind = 'info' | 'warning' | 'error';

const icons: Readonly<Record<NoticeKind, string>> = {
  info: ':information_source:',
  warning: ':warning:',
  error: ':x:',
};

const titleChars = 150;
/** Leaves room for the title in the same section. */
const textChars = slackLimits.sectionChars - 2 * titleChars;

/**
 * A few sentences for one person. Backticks in the text make code spans; nothing else in it formats, links
 * or mentions, whoever wrote it. `lines` below it are safe already (see `safe-text.ts`).
 */
export function noticeView(options: {
  readonly title?: string;
  readonly text: string;
  readonly lines?: readonly string[];
  readonly kind: NoticeKind;
}): View {
  const text = notice(options.text, textChars);
  const title = options.title === undefined ? '' : `*${notice(options.title, titleChars)}*\n`;
  const words = `${icons[options.kind]} ${title}${text}`;
  const lines = options.lines ?? [];
  return compose({
    text: [words, ...lines].join('\n'),
    head: [section(words)],
    body: lines,
    tail: [],
    more: (count) => `and ${count} more`,
  }).view;
}
