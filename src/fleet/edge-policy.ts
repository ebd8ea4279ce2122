import { createHash } from 'node:crypto';
import type { Catalogue } from './action.ts';
import { actionsOf } from './actions-of.ts';
import { checksOf } from './checks/index.ts';
import { isProblem, type PolicyWord, readCommandPattern } from './command-pattern.ts';
import { InputError } from './errors.ts';
import { hostCommands } from './host-commands.ts';
import { builtInList, type Machine } from './machine.ts';
import { readablePaths, secretPaths } from './readable-paths.ts';
import { argumentRules } from './render-action.ts';

/** Read once: every machine's policy holds them. */
const builtInWords = new Map(hostCommands.map((pattern) => [pattern, wordsOf(pattern)]));

/** What the machine's broker allows one command to take and to print, and how many at once. */
const limits = {
  commandTimeoutSeconds: 20,
  outputBytes: 131_072,
  agentOutputBytes: 32_768,
  concurrentCommands: 4,
} as const;

/**
 * The policy of the machine's broker, as it is installed: JSON with a newline at its end. Equal text for machines
 * of equal meaning, in whatever order the fleet file has it.
 * @param catalogue the fleet's actions; the policy holds those that the machine is authorised for
 * @throws InputError for a pattern that cannot be read; a fleet file that holds one is not loaded
 */
export function edgePolicy(machine: Machine, catalogue: Catalogue): string {
  const checks = checksOf(machine).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const actions = [...actionsOf({ actions: catalogue }, machine)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const policy = {
    version: 1,
    machine: machine.name,
    checks: Object.fromEntries(
      checks.map((check) => [check.name, { commands: check.commands(machine), root: check.root ?? false }]),
    ),
    agent: {
      commands: withBuiltIn(machine.agent.commands, hostCommands).map((pattern) => ({
        pattern,
        root: false,
        words: builtInWords.get(pattern) ?? wordsOf(pattern),
      })),
      readable: withBuiltIn(machine.agent.readPaths, readablePaths),
      secret: secretPaths,
    },
    actions: Object.fromEntries(
      actions.map(([name, action]) => {
        const { summary, timeoutSeconds, interruptible } = action;
        return [name, { argv: argumentRules(action), timeoutSeconds, interruptible, summary }];
      }),
    ),
    limits,
  };
  return `${JSON.stringify(policy, null, 2)}\n`;
}

/** How a policy is named: `sha256:` and the digest of its bytes in hex. */
export function policyDigest(policy: string): string {
  return `sha256:${createHash('sha256').update(policy).digest('hex')}`;
}

/** The list in one order, each entry once, the built-in list in place of its name. */
function withBuiltIn(list: readonly string[], builtIn: readonly string[]): readonly string[] {
  const entries = list.flatMap((entry) => (entry === builtInList ? builtIn : [entry]));
  return [...new Set(entries)].toSorted();
}

function wordsOf(pattern: string): readonly PolicyWord[] {
  const words = readCommandPattern(pattern);
  if (isProblem(words)) throw new InputError(`"${pattern}" ${words.problem}. ${words.cure}.`);
  return words;
}
