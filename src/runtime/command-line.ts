import { InputError } from '../fleet/errors.ts';
import { suggest } from '../fleet/suggest.ts';

/** What the command line asks for. */
export type CommandLine =
  | { readonly command: 'start' | 'help' | 'version' }
  | { readonly command: 'validate'; readonly files: readonly string[] };

/** What `fleetbot --help` prints. */
export const usage = `Usage:
  fleetbot start               run with the settings in the environment (see .env.example)
  fleetbot validate FILE...    check fleet files
  fleetbot --help              print this
  fleetbot --version           print the version
`;

/**
 * Reads the arguments after the program's name.
 * @throws InputError which says what is wrong with them
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const [command, ...rest] = args;
  if (command === 'help' || args.some((arg) => arg === '--help' || arg === '-h')) return { command: 'help' };
  const option = rest.find((arg) => arg.startsWith('-'));
  if (option !== undefined) throw new InputError(`fleetbot ${command} has no option ${option}.`);
  switch (command) {
    case 'validate':
      if (rest.length === 0) throw new InputError('fleetbot validate needs the path of a fleet file.');
      return { command, files: rest };
    case 'start':
    case '--version':
      if (rest.length > 0) {
        throw new InputError(`fleetbot ${command} takes nothing after it, but there is "${rest.join(' ')}".`);
      }
      return { command: command === 'start' ? command : 'version' };
    case undefined:
      throw new InputError('fleetbot needs to be told what to do.');
    default:
      throw new InputError(unknown(command));
  }
}

function unknown(command: string): string {
  const meant = suggest(command, ['start', 'validate', 'help', '--version']);
  return `fleetbot does not know "${command}".${meant === undefined ? '' : ` Did you mean ${meant}?`}`;
}
