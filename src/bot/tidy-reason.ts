/**
 * A reason as machines and records can keep it: one line of visible characters, cut where it is too long. Nobody who
 * stops something is asked to shorten a sentence first.
 */
export function tidyReason(text: string, maxCharacters: number): string {
  const line = text
    .replace(/\s+/g, ' ')
    .replace(/\p{C}/gu, '')
    .replace(/\p{Z}+/gu, ' ')
    .trim();
  if (line.length <= maxCharacters) return line;
  return `${line.slice(0, maxCharacters - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
