import { InputError } from '../../fleet/errors.ts';
import type { Fleet, Verb } from '../../fleet/fleet.ts';
import type { Origin } from '../../fleet/request.ts';
import type { Asker } from '../people.ts';
import type { Services } from '../services.ts';
import type { View } from '../views/view.ts';

/** One command typed by one person: everything that `run` may use. */
export interface CommandContext {
  /** The fleet file in force when the command came in. */
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly origin: Origin;
  /** The same for every delivery of the same command. */
  readonly eventId: string;
  readonly services: Services;
  /** All commands, for `help`. */
  readonly commands: readonly Command[];
}

/** A command that was understood, ready to run. */
export interface Invocation {
  readonly command: string;
  /** The verb that it needs, or its name: by this a refusal is recorded. */
  readonly what: string;
  readonly input: unknown;
  /**
   * Resolves with the answer, or with undefined where the message that appears in the channel is the answer.
   * @throws FleetbotError with a sentence for the person
   */
  run(context: CommandContext): Promise<View | undefined>;
}

/** What `/fleet help` and the parser need to know of a command. */
export interface Command {
  readonly name: string;
  /** Without `/fleet`: `check <selector> <check>`. */
  readonly usage: string;
  readonly summary: string;
  /** The person needs it on at least one machine to see the command in `help`. */
  readonly verb: Verb | undefined;
  /** @throws InputError when what follows the command's name cannot be understood */
  parse(args: string): Invocation;
}

/** A command's file: `parse` makes the input that `run` takes. */
export interface CommandDefinition<Input> extends Omit<Command, 'parse'> {
  parse(args: string): Input;
  run(input: Input, context: CommandContext): Promise<View | undefined>;
}

/** Ties a definition's `parse` and `run` together, so that commands of any input fit in one list. */
export function defineCommand<Input>(definition: CommandDefinition<Input>): Command {
  return {
    ...definition,
    parse(args) {
      const input = definition.parse(args);
      const { name, verb, run } = definition;
      return { command: name, what: verb ?? name, input, run: (context) => run(input, context) };
    },
  };
}

/** The error for arguments that do not fit a command's usage. */
export function usageError(problem: string, usage: string): InputError {
  return new InputError(`${problem} Type \`/fleet ${usage}\`.`);
}

/**
 * The selector and the words after it. A selector with blanks in it is refused: without its second half it
 * would name more machines than were meant.
 */
export function selectorAndWords(
  args: string,
  usage: string,
): readonly [selector: string | undefined, ...words: string[]] {
  const [selector, ...words] = wordsOf(args);
  if (/^[&,]/.test(words[0] ?? '') || /[&,!]$/.test(selector ?? '')) {
    throw usageError('Write the selector without blanks: `role=web&env=prod`.', usage);
  }
  return [selector, ...words];
}

/** The words of the arguments: `''` has none. */
export function wordsOf(args: string): readonly string[] {
  return args === '' ? [] : args.split(' ');
}
