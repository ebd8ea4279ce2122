/**
 * What Slack accepts, from docs.slack.dev (Block Kit reference, chat.postMessage) and, for `blocksChars`,
 * from its error `msg_blocks_too_long`.
 */
export const slackLimits = {
  blocksPerMessage: 50,
  sectionChars: 3_000,
  headerChars: 150,
  contextChars: 2_000,
  buttonChars: 75,
  /** Title and buttons of a window. */
  modalTitleChars: 24,
  buttonUrlChars: 3_000,
  /** All blocks of one message together; we count their JSON, which is never less than what Slack counts. */
  blocksChars: 13_200,
} as const;

/** How much of the fallback text a notification can use; Slack would truncate it at 40,000. */
export const fallbackChars = 500;

const longestEntityChars = '&amp;'.length;
const highSurrogate = /[\uD800-\uDBFF]$/;

/**
 * The text in at most `maxChars` UTF-16 units (at least 1), ending in `…` where it was cut. Never cuts inside
 * a surrogate pair or an escape such as `&lt;`. Expects text in which every `&` begins an escape.
 */
export function clip(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  let kept = text.slice(0, maxChars - 1);
  const entityAt = kept.lastIndexOf('&');
  if (entityAt >= 0 && entityAt > kept.length - longestEntityChars && !kept.includes(';', entityAt)) {
    kept = kept.slice(0, entityAt);
  }
  if (highSurrogate.test(kept)) kept = kept.slice(0, -1);
  return `${kept}…`;
}
