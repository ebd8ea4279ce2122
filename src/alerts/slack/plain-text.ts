/** `<…>` in Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text). */
const entity = /<([^<>|]*)(?:\|([^<>]*))?>/g;
const escapes: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };

/** The words of a text in mrkdwn: links by what they are called, without marks for bold and code. */
export function plainText(mrkdwn: string): string {
  return mrkdwn
    .replace(entity, (_all, target: string, label?: string) => label ?? (/^[@#!]/.test(target) ? '' : target))
    .replace(/&(?:amp|lt|gt);/g, (written) => escapes[written] ?? written)
    .replace(/[*`]/g, '');
}

/** The first web address that a text in mrkdwn links to. */
export function firstLink(mrkdwn: string): string | undefined {
  const [, link] = /<(https?:\/\/[^<>|]+)(?:\|[^<>]*)?>/.exec(mrkdwn) ?? [];
  return link?.replace(/&(?:amp|lt|gt);/g, (written) => escapes[written] ?? written);
}
