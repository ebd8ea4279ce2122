import { slackLimits } from './limits.ts';

/** Words that read as what they are. */
const plainWord = /^[\w@%+=:,./^-]+$/;
/** What Slack's clients may take for a call to everybody. */
const callsEverybody = /@(?:channel|here|everyone)/i;
/** What stands for itself between quotes: printable ASCII but for blank, quote, backslash and backtick. */
const readable = /[!#-[\]-_a-~]/;
/** Stands for a blank inside a word. Nothing else is shown as it, because all that is not ASCII is escaped. */
const visibleBlank = '␣';

/**
 * One word of a command, so that nobody can misread it: quoted where it is not plain; blanks, control characters,
 * invisible and foreign ones (which may look like others) visible. Different words are never shown alike.
 */
export function shownWord(word: string): string {
  const calls = callsEverybody.test(word);
  if (plainWord.test(word) && !calls) return word;
  const shown = [...word].map((character) => {
    if (character === ' ') return visibleBlank;
    if (readable.test(character) && !(calls && character === '@')) return character;
    if (character === '"' || character === '\\') return `\\${character}`;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `"${shown.join('')}"`;
}

/** The words with single blanks between them; of a long command at least so many characters of its beginning. */
export function shownCommand(argv: readonly string[], maxChars: number): string {
  let shown = '';
  for (const word of argv) {
    if (shown.length > maxChars) break;
    shown += `${shown === '' ? '' : ' '}${shownWord(word.slice(0, maxChars))}`;
  }
  return shown;
}

/** Characters of a line beside its words: two backticks. */
const lineChars = slackLimits.sectionChars - 2;

/**
 * The whole command as code, in as many lines as it needs, each at most a section long and of whole words. undefined
 * where a word does not fit into a line: what cannot be shown must not be approved.
 */
export function commandLines(argv: readonly string[]): readonly string[] | undefined {
  const lines: string[] = [];
  for (const each of argv) {
    if (each.length > lineChars) return undefined;
    const word = escaped(shownWord(each));
    if (word.length > lineChars) return undefined;
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > lineChars) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line) => `\`${line}\``);
}

/** As Slack asks (docs.slack.dev/messaging/formatting-message-text). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
