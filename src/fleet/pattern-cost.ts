import { valueMaxCharacters } from './action.ts';
import type { PatternNode } from './text-pattern.ts';

/** A pattern that can be tried in more ways than this may take seconds on a machine. */
export const maxPatternWays = 50_000;

/**
 * In how many ways a pattern can be tried at most on a text that does not match in the end, by backtracking, as
 * JavaScript and Python do it. A repeat or a choice costs nothing where the next character tells how it goes on.
 * @param follow the characters that can come after it
 */
export function patternWays(node: PatternNode, follow: ReadonlySet<string> = new Set()): number {
  switch (node.kind) {
    case 'one':
      return 1;
    case 'sequence':
      return node.items.reduce((ways, item, index) => {
        const { first, empty } = sequenceBeginning(node.items.slice(index + 1));
        return ways * patternWays(item, empty ? first.union(follow) : first);
      }, 1);
    case 'choice': {
      const ways = node.options.map((option) => patternWays(option, follow));
      return isTold(node.options) ? Math.max(...ways) : ways.reduce((sum, each) => sum + each, 0);
    }
    case 'repeat': {
      const { first, empty } = beginningOf(node.of);
      const max = Math.min(node.max, valueMaxCharacters);
      const ways = patternWays(node.of, max > 1 ? follow.union(first) : follow);
      return !empty && first.isDisjointFrom(follow) ? ways ** max : waysOfEach(ways, node.min, max);
    }
  }
}

interface Beginning {
  /** The characters that it can begin with. */
  readonly first: ReadonlySet<string>;
  /** Whether it also matches no text at all. */
  readonly empty: boolean;
}

export function beginningOf(node: PatternNode): Beginning {
  switch (node.kind) {
    case 'one':
      return { first: node.of, empty: false };
    case 'sequence':
      return sequenceBeginning(node.items);
    case 'choice': {
      const options = node.options.map(beginningOf);
      return { first: unionOf(options.map(({ first }) => first)), empty: options.some(({ empty }) => empty) };
    }
    case 'repeat': {
      const { first, empty } = beginningOf(node.of);
      return { first, empty: empty || node.min === 0 };
    }
  }
}

/** It begins with the first item that is no empty text, or with one before that. */
function sequenceBeginning(items: readonly PatternNode[]): Beginning {
  const beginnings = items.map(beginningOf);
  const fixed = beginnings.findIndex(({ empty }) => !empty);
  const possible = fixed === -1 ? beginnings : beginnings.slice(0, fixed + 1);
  return { first: unionOf(possible.map(({ first }) => first)), empty: fixed === -1 };
}

/** Whether the next character tells which of them it is. */
function isTold(options: readonly PatternNode[]): boolean {
  const beginnings = options.map(beginningOf);
  const sizes = beginnings.reduce((sum, { first }) => sum + first.size, 0);
  const all = unionOf(beginnings.map(({ first }) => first));
  return sizes === all.size && beginnings.every(({ empty }) => !empty);
}

/** The ways of all numbers of repeats from `min` to `max`, until they are too many. */
function waysOfEach(ways: number, min: number, max: number): number {
  let sum = 0;
  for (let times = min; times <= max && sum <= maxPatternWays; times++) sum += ways ** times;
  return sum;
}

function unionOf(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return sets.reduce((all, set) => all.union(set), new Set<string>());
}
