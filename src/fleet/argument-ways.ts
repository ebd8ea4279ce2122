import type { Param } from './action.ts';
import { isProblem } from './command-pattern.ts';
import { patternWays } from './pattern-cost.ts';
import { templatePieces } from './template.ts';
import { type PatternNode, readTextPattern } from './text-pattern.ts';

/** In how many ways an argument's rule can be tried at most: values that stand beside each other add to it. */
export function argumentWays(template: string, params: Readonly<Record<string, Param>>): number {
  const items = templatePieces(template).flatMap((piece) => {
    const param = 'name' in piece ? params[piece.name] : undefined;
    if (param !== undefined) return nodeOf(param);
    return 'literal' in piece ? literalNode(piece.literal) : [];
  });
  return patternWays({ kind: 'sequence', items });
}

function nodeOf(param: Param): PatternNode {
  switch (param.type) {
    case 'choice':
      return { kind: 'choice', options: param.values.map(literalNode) };
    case 'integer':
      return { kind: 'repeat', of: { kind: 'one', of: new Set('-0123456789') }, min: 1, max: 17 };
    case 'text': {
      const read = readTextPattern(param.pattern);
      return isProblem(read) ? literalNode('') : read;
    }
  }
}

function literalNode(text: string): PatternNode {
  return {
    kind: 'sequence',
    items: [...text].map((character) => ({ kind: 'one', of: new Set([character]) })),
  };
}
