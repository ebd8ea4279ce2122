import { channelLink, codeSpan, prose } from './safe-text.ts';
import { compose, section, type View } from './view.ts';

/** For the person who asked: why the answer does not appear, and what to do. */
export function cannotPostView(options: {
  readonly id: string;
  readonly channel: string;
  /** Slack's error code. */
  readonly code: string;
  readonly botName: string;
}): View {
  const cure =
    options.code === 'is_archived'
      ? 'The channel is archived: unarchive it, or ask again elsewhere.'
      : `I am not in that channel: type \`/invite @${prose(options.botName, 80)}\` there, and the answer follows by itself.`;
  const text = `:warning: I cannot post the answer of ${codeSpan(options.id, 64)} in ${channelLink(options.channel)}. ${cure}`;
  return compose({ text, head: [section(text)], body: [], tail: [], more: () => '' }).view;
}
