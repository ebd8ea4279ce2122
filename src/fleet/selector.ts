import { InputError } from './errors.ts';
import type { Fleet } from './fleet.ts';
import { matchesGlob } from './glob.ts';
import type { Machine } from './machine.ts';

/** The selector that matches every machine; no machine may have this name. */
export const selectAll = 'all';

/** Longest selector that a person may type; those of the fleet file have no limit. */
export const typedMaxCharacters = 500;

/** An optional `!`, an optional `key=`, and a glob. */
const termPattern = /^(!?)\s*(?:([A-Za-z0-9][A-Za-z0-9._/-]*)\s*=\s*)?([^\s!=]+)$/;

/**
 * Reads a selector: terms joined by `,` (or) and `&` (and, binds tighter), each optionally negated by `!`. A
 * term is `all`, a glob for the name (`rhel-*`), or `key=glob`, where key is `role` or a label. Globs know
 * `*` and `?`.
 * @throws InputError that names the term it could not read
 */
export function parseSelector(selector: string): (machine: Machine) => boolean {
  const alternatives = selector.split(',').map((part) => part.split('&').map(parseTerm));
  return (machine) => alternatives.some((terms) => terms.every((matches) => matches(machine)));
}

/** The labels that the selector excludes by (`env` of `!env=prod`). @throws InputError as `parseSelector` */
export function excludedLabels(selector: string): readonly string[] {
  parseSelector(selector);
  return selector.split(/[,&]/).flatMap((term) => {
    const [, not, key] = termPattern.exec(term.trim()) ?? [];
    return not === '!' && key !== undefined && key !== 'role' ? [key] : [];
  });
}

/**
 * The machines that the selector matches, in the order of the file. For what a person typed: it is held against
 * thousands of machines before anybody looks whether the person may do anything.
 * @throws InputError as `parseSelector`, or when it is longer than `typedMaxCharacters`
 */
export function selectMachines(fleet: Fleet, selector: string): readonly Machine[] {
  if (selector.length > typedMaxCharacters) {
    throw new InputError(
      `A selector may have ${typedMaxCharacters} characters; yours has ${selector.length}. Use a pattern (rhel-*) or a label (env=prod).`,
    );
  }
  return [...fleet.machines.values()].filter(parseSelector(selector));
}

function parseTerm(text: string): (machine: Machine) => boolean {
  const [, not, key, glob] = termPattern.exec(text.trim()) ?? [];
  if (glob === undefined) {
    throw new InputError(
      `"${text.trim()}" is not a selector. Write a machine's name (rhel-01), a pattern (rhel-*), ` +
        'role=web, a label (env=prod) or all; join them with "," for or and "&" for and; "!" negates.',
    );
  }
  const matches = (machine: Machine): boolean => {
    if (key === undefined) return glob === selectAll || matchesGlob(machine.name, glob);
    const value = key === 'role' ? machine.role : labelOf(machine, key);
    return value !== undefined && matchesGlob(value, glob);
  };
  return not === '!' ? (machine) => !matches(machine) : matches;
}

/** Only what the file says: `toString` is no label. */
function labelOf(machine: Machine, key: string): string | undefined {
  return Object.hasOwn(machine.labels, key) ? machine.labels[key] : undefined;
}
