import type { AuditFormat } from '../fleet/audit/audit-files.ts';
import { InputError } from '../fleet/errors.ts';
import { periodExamples, readPeriod } from '../fleet/period.ts';
import type { KeyKind } from '../fleet/signing-key.ts';
import { suggest } from '../fleet/suggest.ts';
import { type Words, wordsOf } from './words-of.ts';

/** What the command line asks for. */
export type CommandLine =
  | { readonly command: 'start' | 'help' | 'version' }
  | { readonly command: 'validate'; readonly files: readonly string[] }
  | LockLine
  | KeyLine
  | PolicyLine
  | PricesLine
  | MachineLine
  | InitLine
  | ReplayLine
  | VerifyLine
  | SearchLine;

/** A halt or a resume without Redis and Slack. */
export type LockLine = {
  readonly selector: string;
  /** The fleet file, where it is not the one of the environment. */
  readonly fleetFile?: string;
  readonly json: boolean;
} /** `yes`: nobody is asked before it is done. */ & (
  | { readonly command: 'halt'; readonly reason: string; readonly yes: boolean }
  /** `force`: also locks that came by other means. */
  | { readonly command: 'resume'; readonly force: boolean }
);

/** The policy of a machine's broker. */
export interface PolicyLine {
  readonly command: 'edge policy';
  readonly machine: string;
  /** The fleet file, where it is not the one of the environment. */
  readonly fleetFile?: string;
}

/** The prices, as the central collector reads them. */
export interface PricesLine {
  readonly command: 'collector prices';
  /** The fleet file, where it is not the one of the environment. */
  readonly fleetFile?: string;
}

/** The proof that what is installed on a machine works. */
export interface MachineLine {
  readonly command: 'machine verify';
  readonly machine: string;
  /** The fleet file, where it is not the one of the environment. */
  readonly fleetFile?: string;
  readonly json: boolean;
}

/** MLflow made ready for traces. */
export interface InitLine {
  readonly command: 'mlflow init';
  /** The experiment's name. */
  readonly experiment: string;
}

/** Copies of spans, of which MLflow is sent what it lacks. */
export interface ReplayLine {
  readonly command: 'traces replay';
  readonly paths: readonly string[];
  /** What ended before is passed over. Milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Nothing is sent. */
  readonly dryRun: boolean;
}

/** A new key. */
export interface KeyLine {
  readonly command: `${KeyKind} key`;
  readonly file: string;
}

/** A look through exported ledgers. */
export interface SearchLine {
  readonly command: 'ledger search';
  readonly files: readonly string[];
  /** A selector of names. */
  readonly machines?: string;
  /** Slack id. */
  readonly person?: string;
  /** Times as `readPeriod` reads them. */
  readonly since?: string;
  readonly until?: string;
  readonly format: AuditFormat;
}

/** A check of an exported ledger. */
export interface VerifyLine {
  readonly command: 'ledger verify';
  readonly files: readonly string[];
  readonly keyFile: string;
  readonly checkpoint?: string;
  readonly partial: boolean;
}

/** The experiment that traces go to where no other one is named. */
const defaultExperiment = 'fleetbot';

const commands = [
  'start',
  'validate',
  'halt',
  'resume',
  'edge',
  'collector',
  'machine',
  'mlflow',
  'traces',
  'ledger',
  'decision',
  'capsule',
  'help',
  '--version',
];
const machineCommands = ['verify'];
const mlflowCommands = ['init'];
const tracesCommands = ['replay'];
const ledgerCommands = ['verify', 'search', 'key'];
const edgeCommands = ['policy'];
const collectorCommands = ['prices'];
const keyCommands = ['key'];

/**
 * Reads the arguments after the program's name.
 * @throws InputError which says what is wrong with them
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const [command, ...rest] = args;
  if (command === 'help' || args.some((arg) => arg === '--help' || arg === '-h')) return { command: 'help' };
  switch (command) {
    case 'validate': {
      const { words } = wordsOf(command, rest, {});
      if (words.length === 0) throw new InputError('fleetbot validate needs the path of a fleet file.');
      return { command, files: words };
    }
    case 'start':
    case '--version':
      return withoutArguments(command, rest);
    case 'halt':
    case 'resume':
      return lockLine(command, rest);
    case 'edge':
      return edgeLine(rest);
    case 'collector':
      return pricesLine(rest);
    case 'machine':
      return machineLine(rest);
    case 'mlflow':
      return initLine(rest);
    case 'traces':
      return replayLine(rest);
    case 'ledger':
      return ledgerLine(rest);
    case 'decision':
    case 'capsule':
      return keyLine(command, afterCommand(command, rest, keyCommands));
    case undefined:
      throw new InputError('fleetbot needs to be told what to do.');
    default:
      throw new InputError(unknown(`fleetbot does not know "${command}".`, command, commands));
  }
}

function withoutArguments(command: 'start' | '--version', rest: readonly string[]): CommandLine {
  const { words } = wordsOf(command, rest, {});
  if (words.length > 0) {
    throw new InputError(`fleetbot ${command} takes nothing after it, but there is "${words.join(' ')}".`);
  }
  return { command: command === 'start' ? command : 'version' };
}

function lockLine(command: 'halt' | 'resume', rest: readonly string[]): LockLine {
  const flags = { direct: 'boolean', json: 'boolean', fleet: 'string' } as const;
  const own = command === 'halt' ? 'yes' : 'force';
  const { words, given, text } = wordsOf(command, rest, { ...flags, [own]: 'boolean' });
  if (!given.has('direct')) {
    throw new InputError(
      `Type /fleet ${command} in Slack; or, where Slack or Redis is away, say fleetbot ${command} --direct.`,
    );
  }
  const [selector, ...others] = words;
  if (selector === undefined) {
    throw new InputError(`fleetbot ${command} needs to be told which machines: a name, a pattern, or all.`);
  }
  const common = { selector, json: given.has('json'), ...fleetFileOf(text) };
  if (command === 'halt') {
    if (others.join('').trim() === '')
      throw new InputError('fleetbot halt needs a reason after the machines.');
    return { command, ...common, reason: others.join(' '), yes: given.has('yes') };
  }
  if (others.length > 0) {
    throw new InputError(`fleetbot resume takes one selector, but there is also "${others.join(' ')}".`);
  }
  return { command, ...common, force: given.has('force') };
}

function edgeLine(rest: readonly string[]): PolicyLine {
  const args = afterCommand('edge', rest, edgeCommands);
  const { words, text } = wordsOf('edge policy', args, { fleet: 'string' });
  return { command: 'edge policy', ...oneMachine('edge policy', words), ...fleetFileOf(text) };
}

function pricesLine(rest: readonly string[]): PricesLine {
  const command = 'collector prices';
  const args = afterCommand('collector', rest, collectorCommands);
  const { words, text } = wordsOf(command, args, { fleet: 'string' });
  if (words.length > 0) {
    throw new InputError(`fleetbot ${command} takes no words, but there is "${words.join(' ')}".`);
  }
  return { command, ...fleetFileOf(text) };
}

function machineLine(rest: readonly string[]): MachineLine {
  const args = afterCommand('machine', rest, machineCommands);
  const { words, text, given } = wordsOf('machine verify', args, { fleet: 'string', json: 'boolean' });
  const machine = oneMachine('machine verify', words);
  return { command: 'machine verify', ...machine, ...fleetFileOf(text), json: given.has('json') };
}

function initLine(rest: readonly string[]): InitLine {
  const args = afterCommand('mlflow', rest, mlflowCommands);
  const { words, text } = wordsOf('mlflow init', args, { experiment: 'string' });
  if (words.length > 0) {
    throw new InputError(
      `fleetbot mlflow init takes no "${words.join(' ')}": name the experiment with --experiment.`,
    );
  }
  return { command: 'mlflow init', experiment: text('experiment') ?? defaultExperiment };
}

function replayLine(rest: readonly string[]): ReplayLine {
  const args = afterCommand('traces', rest, tracesCommands);
  const { words, given, text } = wordsOf('traces replay', args, { 'dry-run': 'boolean', since: 'string' });
  if (words.length === 0) {
    throw new InputError('fleetbot traces replay needs files or folders with copies of spans.');
  }
  const word = text('since');
  const period = word === undefined ? undefined : readPeriod(word, Date.now());
  if (word !== undefined && !period) {
    throw new InputError(`fleetbot traces replay: "${word}" is no time: --since takes ${periodExamples}.`);
  }
  return { command: 'traces replay', paths: words, since: period?.from, dryRun: given.has('dry-run') };
}

/** What stands after the second word, which must be one of the known ones. */
function afterCommand(
  command: string,
  [second, ...rest]: readonly string[],
  known: readonly string[],
): readonly string[] {
  if (second === undefined) {
    throw new InputError(`fleetbot ${command} needs to be told what to do: ${known.join(' or ')}.`);
  }
  if (known.includes(second)) return rest;
  throw new InputError(unknown(`fleetbot ${command} does not know "${second}".`, second, known));
}

function oneMachine(command: string, [machine, ...others]: readonly string[]): { machine: string } {
  if (machine !== undefined && others.length === 0) return { machine };
  throw new InputError(`fleetbot ${command} needs the name of one machine.`);
}

function fleetFileOf(text: Words['text']): { fleetFile?: string } {
  const fleetFile = text('fleet');
  return fleetFile === undefined ? {} : { fleetFile };
}

function ledgerLine(rest: readonly string[]): CommandLine {
  const args = afterCommand('ledger', rest, ledgerCommands);
  if (rest[0] === 'search') return searchLine(args);
  return rest[0] === 'verify' ? verifyLine(args) : keyLine('ledger', args);
}

function searchLine(rest: readonly string[]): SearchLine {
  const command = 'ledger search';
  const { words, given, text } = wordsOf(command, rest, {
    ...{ machine: 'string', person: 'string', since: 'string', until: 'string' },
    ...{ json: 'boolean', csv: 'boolean' },
  });
  if (words.length === 0) throw new InputError(`fleetbot ${command} needs the files of exported ledgers.`);
  if (given.has('json') && given.has('csv')) {
    throw new InputError(`fleetbot ${command} prints --json or --csv, not both.`);
  }
  const [machines, person, since, until] = ['machine', 'person', 'since', 'until'].map(text);
  return {
    ...{ command, files: words, format: given.has('csv') ? 'csv' : 'json' },
    ...(machines !== undefined && { machines }),
    ...(person !== undefined && { person }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

function keyLine(kind: KeyKind, args: readonly string[]): KeyLine {
  const command = `${kind} key` as const;
  const { words } = wordsOf(command, args, {});
  const [file, ...others] = words;
  if (file === undefined || others.length > 0) {
    throw new InputError(`fleetbot ${command} needs the path of one new file.`);
  }
  return { command, file };
}

function verifyLine(rest: readonly string[]): VerifyLine {
  const { words, given, text } = wordsOf('ledger verify', rest, {
    ...{ key: 'string', checkpoint: 'string', partial: 'boolean' },
  });
  if (words.length === 0) throw new InputError('fleetbot ledger verify needs the files of a ledger.');
  const [keyFile, checkpoint] = [text('key'), text('checkpoint')];
  if (keyFile === undefined) {
    throw new InputError('fleetbot ledger verify needs --key with the file of the public key.');
  }
  return {
    ...{ command: 'ledger verify', files: words, keyFile, partial: given.has('partial') },
    ...(checkpoint !== undefined && { checkpoint }),
  };
}

function unknown(what: string, typed: string, known: readonly string[]): string {
  const meant = suggest(typed, known);
  return meant === undefined ? what : `${what} Did you mean ${meant}?`;
}
