import { z } from 'zod';

/**
 * What we read of messages that apps post (docs.slack.dev/reference/events/message). What an app put into a field may
 * be of any shape: such a field counts as absent.
 */
const text = z.union([z.string(), z.number()]).transform(String).optional().catch(undefined);
const list = z.array(z.unknown()).catch([]);

const fieldSchema = z.object({ title: text, value: text });

export const attachmentSchema = z.object({
  title: text,
  title_link: text,
  pretext: text,
  text,
  fallback: text,
  color: text,
  footer: text,
  author_name: text,
  fields: z.array(fieldSchema).catch([]),
  blocks: list,
  /** Slack itself attached it, because the message has a link. */
  from_url: text,
});

export const messageSchema = z.object({
  ts: z.string(),
  subtype: text,
  /** Of the message that it answers; its own in a message that has answers. */
  thread_ts: text,
  user: text,
  bot_id: text,
  app_id: text,
  bot_profile: z.object({ id: text, app_id: text, name: text }).optional().catch(undefined),
  username: text,
  text,
  attachments: list,
  blocks: list,
});

export type SlackMessage = z.infer<typeof messageSchema>;
export type Attachment = z.infer<typeof attachmentSchema>;
