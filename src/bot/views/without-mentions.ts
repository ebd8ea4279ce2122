import { z } from 'zod';
import type { View } from './view.ts';

/** A person or a user group; in what others wrote there is no unescaped `<`. */
const mentionPattern = /<@([UW][A-Z0-9]+)>|<!subteam\^(S[A-Z0-9]+)>/g;

/** The same message with ids in the place of mentions: nobody is told of it. */
export function withoutMentions(view: View): View {
  const blocks = JSON.stringify(view.blocks);
  return {
    text: plain(view.text),
    blocks: z.custom<View['blocks']>(Array.isArray).parse(JSON.parse(plain(blocks))),
  };
}

function plain(text: string): string {
  return text.replace(
    mentionPattern,
    (_mention, person?: string, group?: string) => `\`${person ?? group}\``,
  );
}
