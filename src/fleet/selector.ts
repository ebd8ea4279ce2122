import { InputError } from './errors.ts';
import type { Fleet } from './fleet.ts';
import { matchesGlob } from './glob.ts';
import type { Machine } from './machine.ts';

/** The selector that matches every machine; no machine may have this name. */
export const selectAll = 'all';

/** Longest selector that a person may type; those of the fleet file have no limit. */
export const typedMaxCharacters = 500;

/** What a selector looks at. */
export type Selectable = Pick<Machine, 'name' | 'role' | 'labels'>;

/** One term of a selector. */
export interface Term {
  readonly negated: boolean;
  /** `role` or a label; undefined where the glob is for the machine's name. */
  readonly key: string | undefined;
  /** In lower case where it is for the name, as names are. */
  readonly glob: string;
}

/** What is wrong with a selector, and what to write instead. */
export interface SelectorProblem {
  readonly problem: string;
  readonly cure: string;
}

/** An optional `!`, an optional `key=`, and a glob. */
const termPattern = /^(!?)\s*(?:([A-Za-z0-9][A-Za-z0-9._/-]*)\s*=\s*)?([^\s!=]+)$/;

/** What people put around a name, and what a messenger makes of it. */
const quotesAtEnds = /^[\s"'`“”‘’]+|[\s"'`“”‘’]+$/g;

/**
 * Reads a selector: terms joined by `,` (or) and `&` (and, binds tighter), each optionally negated by `!`. A
 * term is `all`, a glob for the name (`rhel-*`, in upper or lower case), or `key=glob`, where key is `role` or
 * a label. Globs know `*` and `?`; quotes around a term mean nothing.
 * @throws InputError that names the term it could not read, or a `!` that `,` makes useless
 */
export function parseSelector(selector: string): (machine: Selectable) => boolean {
  const read = readSelector(selector);
  if ('problem' in read) throw new InputError(`${read.problem}. ${read.cure}`);
  // A halt may list thousands of names, and is held against thousands of machines.
  const names = new Set(read.alternatives.map(exactName));
  const others = read.alternatives.filter((terms) => exactName(terms) === undefined);
  return (machine) => names.has(machine.name) || others.some((terms) => matchesAll(machine, terms));
}

/** What `parseSelector` would throw about; undefined when the selector can be used. */
export function selectorProblem(selector: string): SelectorProblem | undefined {
  const read = readSelector(selector);
  return 'problem' in read ? read : undefined;
}

/** Every term of a selector, in order; none of one that cannot be read. */
export function termsOf(selector: string): readonly Term[] {
  const read = readSelector(selector);
  return 'problem' in read ? [] : read.alternatives.flat();
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

/**
 * The alternatives (what stands between `,`) that match no machine, as they were typed, each once.
 * @throws InputError as `parseSelector`
 */
export function unmatchedAlternatives(fleet: Fleet, selector: string): readonly string[] {
  const machines = [...fleet.machines.values()];
  const alternatives = selector.split(',').map((text) => text.replace(quotesAtEnds, ''));
  return [...new Set(alternatives)].filter((alternative) => !machines.some(parseSelector(alternative)));
}

function readSelector(selector: string): { alternatives: readonly (readonly Term[])[] } | SelectorProblem {
  const alternatives: Term[][] = [];
  for (const alternative of selector.split(',')) {
    const terms: Term[] = [];
    for (const text of alternative.split('&')) {
      const term = readTerm(text);
      if (term === undefined) {
        return {
          problem: `"${text.trim()}" is not a selector`,
          cure:
            "Write a machine's name (rhel-01), a pattern (rhel-*), role=web, a label (env=prod) or all; " +
            'join them with "," for or and "&" for and; "!" negates.',
        };
      }
      terms.push(term);
    }
    alternatives.push(terms);
  }
  return uselessNegation(alternatives) ?? { alternatives };
}

function readTerm(text: string): Term | undefined {
  const [, not, key, quotedGlob = ''] = termPattern.exec(text.replace(quotesAtEnds, '')) ?? [];
  const glob = quotedGlob.replace(quotesAtEnds, '');
  if (glob === '') return undefined;
  return { negated: not === '!', key, glob: key === undefined ? glob.toLowerCase() : glob };
}

/**
 * `all,!web-01` says "all, or whatever is not web-01", which nobody means: an alternative that only negates
 * matches nearly everything, and beside it no other one counts.
 */
function uselessNegation(alternatives: readonly (readonly Term[])[]): SelectorProblem | undefined {
  const onlyNegates = (terms: readonly Term[]): boolean => terms.every((term) => term.negated);
  const excluding = alternatives.filter(onlyNegates);
  const [first] = excluding;
  if (alternatives.length === 1 || first === undefined) return undefined;
  const including = alternatives.filter((terms) => !onlyNegates(terms));
  const excluded = excluding.flat();
  const meant = (including.length === 0 ? [[]] : including)
    .map((terms) => writeTerms([...terms, ...excluded]))
    .join(',');
  return {
    problem: `"${writeTerms(first)}" beside "," excludes nothing, because "," means or`,
    cure:
      meant.length > typedMaxCharacters
        ? 'Join it with "&" to each of the others.'
        : `Did you mean \`${meant}\`?`,
  };
}

function writeTerms(terms: readonly Term[]): string {
  return terms
    .map(({ negated, key, glob }) => `${negated ? '!' : ''}${key === undefined ? '' : `${key}=`}${glob}`)
    .join('&');
}

/** The only name that an alternative can match; undefined where it asks for more or for something else. */
function exactName([term, ...more]: readonly Term[]): string | undefined {
  if (term === undefined || more.length > 0 || term.negated || term.key !== undefined) return undefined;
  return term.glob === selectAll || /[*?]/.test(term.glob) ? undefined : term.glob;
}

function matchesAll(machine: Selectable, terms: readonly Term[]): boolean {
  return terms.every((term) => matchesTerm(machine, term) !== term.negated);
}

function matchesTerm(machine: Selectable, { key, glob }: Term): boolean {
  if (key === undefined) return glob === selectAll || matchesGlob(machine.name, glob);
  const value = labelOf(machine, key);
  return value !== undefined && matchesGlob(value, glob);
}

/** The machine's role, for the key `role`, or its label. Only what the file says: `toString` is no label. */
export function labelOf({ role, labels }: Selectable, key: string): string | undefined {
  if (key === 'role') return role;
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
