// Made from src/telemetry/redact-rule.ts by "npm run generate".
/**
 * One pattern of secrets. It must take time linear in the text: it begins with something literal or at a
 * fixed place, repeats only what can match in one way, and bounds whatever precedes a part that may be missing.
 */
export interface RedactRule {
  readonly pattern: RegExp;
  /** What stands in the match's place, as String.replace takes it; the function gets the groups too. */
  readonly replacement: string | ((match: string, ...groups: string[]) => string);
}

/** What stands in the place of a secret. */
export function marker(kind: string): string {
  return `[redacted:${kind}]`;
}

/** Any marker, as a part of a pattern. */
export const anyMarker = String.raw`\[redacted:[a-z-]{1,32}\]`;

/** Not inside a word. A line break escaped in a JSON string (`\n`) does not count as the end of one. */
export const wordStart = String.raw`(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))`;

/** A rule from the source text of its pattern. */
export function redactRule(
  source: string,
  flags: string,
  replacement: RedactRule['replacement'],
): RedactRule {
  return { pattern: new RegExp(source, flags), replacement };
}
