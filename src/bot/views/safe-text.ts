import { stripVTControlCharacters } from 'node:util';
import { clip } from './limits.ts';

/**
 * Everything that a machine, an agent or a person wrote passes through one of these before it stands in a
 * message. Slack's mrkdwn has no escape for its formatting characters, only for `&`, `<` and `>`; the others
 * are replaced by characters that look alike.
 */

/** Invisible; breaks a word for Slack without a gap for people. */
const wordJoiner = '\u2060';
const looksLikeBacktick = 'ˋ';

/** White space and invisible characters shrink; more of the original than this never makes the difference. */
const originalPerShown = 4;

/** The beginning of a long text, so that the work does not grow with what is not shown. */
function beginning(text: string, maxChars: number): string {
  const kept = maxChars * originalPerShown;
  return text.length <= kept ? text : `${text.slice(0, kept)}…`;
}

/** More marks over one character than any script needs: so high a pile would cover the lines around it. */
const piledMarks = /(\p{M}{4})\p{M}+/gu;

/** Removes terminal sequences, control and invisible characters and piles of marks; keeps line breaks (as \n) and tabs. */
function printable(text: string): string {
  return stripVTControlCharacters(text.toWellFormed())
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, '')
    .replace(piledMarks, '$1');
}

/** Escapes as Slack asks (docs.slack.dev/messaging/formatting-message-text), and keeps `@here` a word. */
function escapeControl(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(?=channel|here|everyone)/gi, `@${wordJoiner}`);
}

function unformatted(text: string): string {
  return escapeControl(
    text
      .replaceAll('*', '∗')
      .replaceAll('~', '∼')
      .replaceAll('`', looksLikeBacktick)
      .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, 'ˍ')
      .replace(/:(?!\d{1,100}:)(?=[^\s:]{1,100}:)/g, '∶'),
  );
}

/** Foreign text as one line of plain words. */
export function prose(text: string, maxChars: number): string {
  return clip(unformatted(printable(beginning(text, maxChars)).replace(/\s+/g, ' ').trim()), maxChars);
}

/**
 * Text of ours that may hold foreign words: plain words in which only `code spans` format anything. Line
 * breaks stay.
 */
export function notice(text: string, maxChars: number): string {
  const parts = printable(beginning(text, maxChars))
    .trim()
    .split(/`([^`\n]+)`/);
  let shown = '';
  for (const [index, part] of parts.entries()) {
    const room = maxChars - shown.length - 2;
    if (room < 1) break;
    shown += index % 2 === 0 ? clip(unformatted(part), room) : usageSpan(part, room);
  }
  return shown;
}

/**
 * A usage line such as `show <machine>` as code. Its placeholders get look-alike brackets, because not every
 * client shows escaped ones inside code.
 */
export function usageSpan(usage: string, maxChars: number): string {
  return codeSpan(usage.replaceAll('<', '‹').replaceAll('>', '›'), maxChars);
}

/** Foreign text as lines of plain words, each marked as a quotation; every line is an item of its own. */
export function quoteLines(text: string, maxLineChars: number): readonly string[] {
  const lines = printable(text).replaceAll('\t', '  ').trim().split('\n');
  return lines.map((line) => `> ${clip(unformatted(line.trimEnd()), maxLineChars)}`);
}

/** The first lines of foreign text as quotations; what is not shown costs nothing. */
export function quoteBeginning(text: string, maxLines: number, maxLineChars: number): readonly string[] {
  return quoteLines(text.slice(0, maxLines * maxLineChars), maxLineChars).slice(0, maxLines);
}

/** Foreign text as a code span of one line. */
export function codeSpan(text: string, maxChars: number): string {
  const line = printable(beginning(text, maxChars))
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('`', looksLikeBacktick);
  return line === '' ? '_(empty)_' : `\`${clip(escapeControl(line), maxChars)}\``;
}

/**
 * Foreign text as lines of code, at most `maxChars` of them together. Not a fenced block: not every client
 * renders one.
 */
export function codeLines(text: string, maxChars: number): string {
  let shown = '';
  for (const line of beginning(text, maxChars).trim().split('\n')) {
    const room = maxChars - shown.length - 3;
    if (room < 1) break;
    shown += `${shown === '' ? '' : '\n'}${codeSpan(line, room)}`;
  }
  return shown;
}

/** A person or a user group by id; only what is an id becomes a mention. */
export function mention(id: string): string {
  if (/^S[A-Z0-9]{1,30}$/.test(id)) return `<!subteam^${id}>`;
  return /^[UW][A-Z0-9]{1,30}$/.test(id) ? `<@${id}>` : codeSpan(id, 40);
}

/** A channel by id; only what is an id becomes a link. */
export function channelLink(channelId: string): string {
  return /^[CG][A-Z0-9]{1,30}$/.test(channelId) ? `<#${channelId}>` : codeSpan(channelId, 40);
}
