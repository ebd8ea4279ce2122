import { parseArgs } from 'node:util';
import { InputError } from '../fleet/errors.ts';

/** What stands after a command. */
export interface Words {
  /** What is no option. */
  readonly words: readonly string[];
  /** The names of the options that are there. */
  readonly given: ReadonlySet<string>;
  /** The value of an option that takes one. */
  text(name: string): string | undefined;
}

/**
 * Reads what stands after a command.
 * @param kinds the command's options: `boolean` ones stand alone, `string` ones have a value
 * @throws InputError for an option that the command does not have, or one without its value
 */
export function wordsOf(
  command: string,
  args: readonly string[],
  kinds: Readonly<Record<string, 'boolean' | 'string'>>,
): Words {
  const options = Object.fromEntries(Object.entries(kinds).map(([name, type]) => [name, { type }]));
  const { tokens } = parseArgs({
    ...{ args: [...args], options, strict: false, allowPositionals: true, tokens: true },
  });
  const words: string[] = [];
  const given = new Map<string, string | undefined>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw new InputError(`fleetbot ${command} has no option ${rawName}.`);
    if (kind === 'string' && !value) throw new InputError(`fleetbot ${command}: ${rawName} needs a value.`);
    if (kind === 'boolean' && value !== undefined) {
      throw new InputError(`fleetbot ${command}: ${rawName} takes no value.`);
    }
    given.set(name, value);
  }
  return { words, given: new Set(given.keys()), text: (name) => given.get(name) };
}
