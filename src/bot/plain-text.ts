/**
 * Characters that phones and word processors put in place of what was typed. An em dash is what becomes of
 * two hyphens.
 */
const typographic: readonly (readonly [RegExp, string])[] = [
  [/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"'],
  [/[\u2018\u2019\u201a]/g, "'"],
  [/\u2014/g, '--'],
  [/[\u2010-\u2013\u2212]/g, '-'],
  [/\u2026/g, '...'],
  [/[\u200b-\u200d\u2060\ufeff]/g, ''],
];

/** `<http://host|host>`, `<http://host>`, `<mailto:a@b|a@b>`; not `<@U…>`, `<#C…>`, `<!…>`. */
const link = /<((?:https?|mailto):[^|>]*)(?:\|([^>]*))?>/g;

/**
 * The text that a person typed, given what Slack made of it: links that Slack added become their label again,
 * typographic quotes and dashes become plain, runs of white space become one space, and the three escaped
 * characters come back. Mentions of people and channels stay as Slack wrote them.
 *
 * Source of the escapes: Slack's "Formatting text for app surfaces", and `should_escape` of slash commands.
 */
export function plainText(text: string): string {
  const unlinked = text.replace(link, (_whole, url: string, label: string | undefined) => label ?? url);
  const plain = typographic.reduce((result, [pattern, by]) => result.replace(pattern, by), unlinked);
  return plain
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim();
}
