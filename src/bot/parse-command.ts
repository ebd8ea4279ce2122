import { InputError } from '../fleet/errors.ts';
import { suggest } from '../fleet/suggest.ts';
import type { Command, Invocation } from './commands/command.ts';
import { plainText } from './plain-text.ts';

/**
 * Understands what a person typed after `/fleet`. Nothing typed means `help`.
 *
 * @param text as Slack sent it, with its escapes
 * @throws InputError that says what to type instead
 */
export function parseCommand(text: string, commands: readonly Command[]): Invocation {
  const plain = plainText(text) || 'help';
  const [word = '', ...rest] = plain.split(' ');
  const name = word.toLowerCase();
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command.parse(rest.join(' '));

  const names = commands.map((candidate) => candidate.name);
  const meant = suggest(name, names);
  const hint = meant === undefined ? '' : ` Did you mean \`/fleet ${meant}\`?`;
  throw new InputError(`There is no command \`${word}\`.${hint} \`/fleet help\` lists what you can type.`);
}
