const shownCharacters = 140;
const shapeCharacters = 200;

/**
 * Foreign text as one quoted line for a finding: no control or invisible characters, no quotes or backticks
 * of its own that could end the quotation, shortened.
 */
export function quoteLine(text: string): string {
  const line = plain(text.slice(0, shownCharacters * 4)).replace(/["`“”]/g, "'");
  return `"${line.length > shownCharacters ? `${line.slice(0, shownCharacters).toWellFormed()}…` : line}"`;
}

/** What messages that differ only in numbers, addresses and ids have in common. */
export function shapeOf(text: string): string {
  return plain(text.slice(0, shapeCharacters)).replace(/[\da-f]*\d[\da-f]*/gi, '#');
}

function plain(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
    .trim();
}
