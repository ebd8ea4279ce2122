import { z } from 'zod';
import type { AlertRules } from '../../fleet/alert-rules.ts';
import { canonicalJson } from '../../fleet/canonical-json.ts';
import { callMark } from '../../fleet/hand-over.ts';
import type { Redact, SlackIdentity } from '../ports.ts';
import type { AlertDraft } from '../tidy-alert.ts';
import { messageSchema, type SlackMessage } from './message-schema.ts';
import { readAlertMessage } from './read-alert-message.ts';

/** Alerts in a message, and where it stands. */
export interface AlertMessage {
  readonly channel: string;
  readonly ts: string;
  readonly alerts: readonly AlertDraft[];
}

const newMessageSchema = messageSchema.extend({ type: z.literal('message'), channel: z.string() });
/** docs.slack.dev/reference/events/message/message_changed: both versions, each a whole message. */
const editSchema = z.object({
  type: z.literal('message'),
  subtype: z.literal('message_changed'),
  channel: z.string(),
  message: messageSchema,
  previous_message: messageSchema.optional().catch(undefined),
});

/** Of the kinds of messages, those that say something themselves; others tell of people, channels and deletions. */
const sayingSubtypes: readonly (string | undefined)[] = [undefined, 'bot_message', 'file_share'];

/**
 * The alerts that an event `message` tells; undefined where it tells none: posted by nobody who may tell alerts in that
 * channel, by ourselves, as an answer in a thread, about a call of ours to people on call, or nothing that matters was
 * edited.
 * @param us what we post is never an alert, whatever the rules allow: else our answer would be asked about for ever
 */
export function readAlertEvent(
  event: unknown,
  { channels, machineLabels }: AlertRules,
  us: SlackIdentity,
  redact: Redact,
): AlertMessage | undefined {
  const edit = editSchema.safeParse(event).data;
  const posted = edit === undefined ? newMessageSchema.safeParse(event).data : undefined;
  const message = edit?.message ?? posted;
  const channel = edit?.channel ?? posted?.channel;
  if (message === undefined || channel === undefined) return undefined;
  const apps = channels.find((entry) => entry.channel === channel)?.apps ?? [];
  const isReply = message.thread_ts !== undefined && message.thread_ts !== message.ts;
  if (isReply || !sayingSubtypes.includes(message.subtype) || isBy(message, us)) return undefined;
  if (!idsOf(message).some((id) => apps.includes(id))) return undefined;
  const read = (version: SlackMessage) =>
    readAlertMessage(version, machineLabels, redact).filter(({ name }) => !name.startsWith(callMark));
  const alerts = changed(edit?.previous_message ? read(edit.previous_message) : [], read(message));
  return alerts.length === 0 ? undefined : { channel, ts: message.ts, alerts };
}

/** Bot and app that posted the message; modern apps post without a subtype. */
function idsOf({ bot_id, app_id, bot_profile }: SlackMessage): readonly string[] {
  return [bot_id, app_id, bot_profile?.id, bot_profile?.app_id].filter((id) => id !== undefined);
}

function isBy(message: SlackMessage, { userId, botId, appId }: SlackIdentity): boolean {
  const ids = idsOf(message);
  return [botId, appId].some((id) => id !== undefined && ids.includes(id)) || message.user === userId;
}

/**
 * What an edit tells: alerts that are new or say something else now, and as resolved those that are there no more.
 * Slack also sends an edit when it adds the preview of a link.
 */
function changed(before: readonly AlertDraft[], after: readonly AlertDraft[]): readonly AlertDraft[] {
  const known = new Map(before.map((alert) => [keyOf(alert), alert]));
  const now = new Set(after.map(keyOf));
  return [
    ...before
      .filter((alert) => !now.has(keyOf(alert)))
      .map((alert) => ({ ...alert, status: 'resolved' as const })),
    ...after.filter((alert) => {
      const was = known.get(keyOf(alert));
      return was === undefined || was.status !== alert.status || was.text !== alert.text;
    }),
  ];
}

function keyOf({ name, identity }: AlertDraft): string {
  return canonicalJson({ name: name.toLowerCase(), identity });
}
