import type { CommandProblem } from './command-pattern.ts';

/**
 * The patterns of text parameters: a small part of regular expressions, which JavaScript and Python (re.ASCII) read
 * alike, and of which it can be told how long they take. They admit printable ASCII only, so no value holds a line
 * break, a NUL or a character that nobody sees.
 */
export type PatternNode =
  | { readonly kind: 'one'; readonly of: ReadonlySet<string> }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly of: PatternNode; readonly min: number; readonly max: number };

const cure =
  'Write characters, \\d, \\w, classes such as [a-z0-9._-], groups such as (?:a|b), and ? * + {2} {1,20}; the whole ' +
  'value has to match anyway';

const digits = charactersFrom('0', '9');
const wordCharacters = [...digits, ...charactersFrom('A', 'Z'), ...charactersFrom('a', 'z'), '_'];
const escapedSets: ReadonlyMap<string, readonly string[]> = new Map([
  ['d', digits],
  ['w', wordCharacters],
]);

/** Stands for itself, outside a class. */
const plainCharacter = /^[A-Za-z0-9 !"#%&',/:;<=>@_`~-]$/;
/** May follow a backslash and then stands for itself. */
const punctuation = /^[!-/:-@[-^`{-~]$/;
const quantifier = /^(?:[?*+]|\{(\d{1,3})(?:(,)(\d{0,3}))?\})/;

/** Reads a pattern, or tells what is wrong with it. */
export function readTextPattern(pattern: string): PatternNode | CommandProblem {
  const reader = new PatternReader(pattern);
  const node = reader.readChoice();
  const stray = reader.problem ?? (reader.rest === '' ? undefined : reader.rest.slice(0, 1));
  return stray === undefined ? node : { problem: `"${stray}" cannot be used here in a pattern`, cure };
}

/** Reads from left to right; the first thing that it does not know stands in `problem`, and nothing after it counts. */
class PatternReader {
  rest: string;
  problem: string | undefined;

  constructor(pattern: string) {
    this.rest = pattern;
  }

  readChoice(): PatternNode {
    const options = [this.#readSequence()];
    while (this.#take('|')) options.push(this.#readSequence());
    const [only] = options;
    return options.length === 1 && only ? only : { kind: 'choice', options };
  }

  #readSequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.problem === undefined && this.rest !== '' && !/^[|)]/.test(this.rest)) {
      items.push(this.#readQuantified());
    }
    return { kind: 'sequence', items };
  }

  #readQuantified(): PatternNode {
    const of = this.#readAtom();
    const [sign, least, comma, most] = quantifier.exec(this.rest) ?? [];
    if (sign === undefined) return of;
    this.rest = this.rest.slice(sign.length);
    const min = least === undefined ? Number(sign === '+') : Number(least);
    const unbounded = sign === '*' || sign === '+' || (comma === ',' && most === '');
    const max = unbounded ? Number.POSITIVE_INFINITY : sign === '?' ? 1 : Number(most ?? min);
    if (max < min) this.problem ??= sign;
    return { kind: 'repeat', of, min, max };
  }

  #readAtom(): PatternNode {
    if (this.#take('(')) {
      this.#take('?:');
      const inner = this.readChoice();
      if (!this.#take(')')) this.problem ??= '(';
      return inner;
    }
    if (this.#take('[')) return { kind: 'one', of: this.#readClass() };
    if (this.rest.startsWith('\\')) return { kind: 'one', of: new Set(this.#readEscape()) };
    const character = this.rest.slice(0, 1);
    if (!plainCharacter.test(character)) this.problem ??= character;
    this.rest = this.rest.slice(1);
    return { kind: 'one', of: new Set([character]) };
  }

  #readEscape(): readonly string[] {
    const character = this.rest.slice(1, 2);
    const set = escapedSets.get(character);
    if (set === undefined && !punctuation.test(character)) this.problem ??= `\\${character}`;
    this.rest = this.rest.slice(2);
    return set ?? [character];
  }

  /** What stands between `[` and `]`. A "-" that stands for itself is the first, the last, or escaped. */
  #readClass(): ReadonlySet<string> {
    const of = new Set<string>();
    if (/^(?:\]|\^)/.test(this.rest)) this.problem ??= `[${this.rest.slice(0, 1)}`;
    for (let first = true; this.problem === undefined && !this.#take(']'); first = false) {
      // Python warns of a doubled sign: one day it may stand for an operation on classes.
      const doubled = /^(?:--|&&|\|\||~~)/.exec(this.rest)?.[0];
      const low = this.#readClassCharacter(first);
      if (doubled !== undefined) this.problem ??= doubled;
      const isRange = /^-[^\]]/.test(this.rest);
      if (isRange) this.rest = this.rest.slice(1);
      const high = isRange ? this.#readClassCharacter(false) : undefined;
      const [from = '', to = ''] = [low[0], high?.[0]];
      if (high !== undefined && (low.length > 1 || high.length > 1 || to < from))
        this.problem ??= `${from}-${to}`;
      for (const character of high === undefined ? low : charactersFrom(from, to)) of.add(character);
    }
    return of;
  }

  #readClassCharacter(first: boolean): readonly string[] {
    if (this.rest.startsWith('\\')) return this.#readEscape();
    const character = this.rest.slice(0, 1);
    const isMisplaced = character === '-' && !first && !this.rest.startsWith('-]');
    if (!/^[ -~]$/.test(character) || character === '[' || isMisplaced) this.problem ??= character || '[';
    this.rest = this.rest.slice(1);
    return [character];
  }

  #take(text: string): boolean {
    if (!this.rest.startsWith(text)) return false;
    this.rest = this.rest.slice(text.length);
    return true;
  }
}

function charactersFrom(low: string, high: string): readonly string[] {
  const [from, to] = [low.charCodeAt(0), high.charCodeAt(0)];
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => String.fromCharCode(from + index));
}
