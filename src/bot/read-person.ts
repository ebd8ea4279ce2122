/** `<@U…>` or `<@U…|name>`, as Slack writes a mention into a command, or the id alone. */
const personPattern = /^(?:<@)?([UW][A-Z0-9]{2,})(?:\|[^>]*)?>?$/;

/**
 * Whom a word of a command names: the Slack id of a mention or of an id, `me` for the person who types; undefined for
 * a word that names nobody.
 */
export function readPerson(word: string): string | undefined {
  return word.toLowerCase() === 'me' ? 'me' : personPattern.exec(word)?.[1];
}
