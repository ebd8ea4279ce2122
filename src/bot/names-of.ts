import { checksOf } from '../fleet/checks/index.ts';
import type { Machine } from '../fleet/machine.ts';

/** How many machines a sentence names before it counts the rest. */
const namedAtMost = 10;

/** The machines' names, in the order given. */
export function namesOf(machines: readonly Machine[]): readonly string[] {
  return machines.map((machine) => machine.name);
}

/** The machines' names for a sentence: `a`, `b` and 7 more. */
export function listed(machines: readonly Machine[]): string {
  const names = namesOf(machines).map((name) => `\`${name}\``);
  const rest = names.length - namedAtMost;
  return rest > 0 ? `${names.slice(0, namedAtMost).join(', ')} and ${rest} more` : names.join(', ');
}

/** The names of the checks that at least one of the machines has, each once. */
export function checkNamesOf(machines: readonly Machine[]): readonly string[] {
  return [...new Set(machines.flatMap((machine) => checksOf(machine).map((check) => check.name)))];
}
