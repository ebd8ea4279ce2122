import { distance } from 'fastest-levenshtein';

/** One edit in this many characters may be a typo (two swapped letters are two edits); more is another word. */
const charactersPerTypo = 2;

/**
 * The candidate that was probably meant, upper and lower case alike: the nearest one by edits of those that
 * begin with the word, else of all. undefined when nothing is near.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  const known = [...candidates];
  const longer = known.filter((candidate) => typed !== '' && candidate.toLowerCase().startsWith(typed));
  const mostTypos = Math.max(1, Math.floor(typed.length / charactersPerTypo));
  return nearest(typed, longer, Number.POSITIVE_INFINITY) ?? nearest(typed, known, mostTypos);
}

/** Whether the two differ by one slip at most: a letter too many, too few, or another, or two that are swapped. */
export function isNear(one: string, other: string): boolean {
  if (distance(one, other) <= 1) return true;
  const at = [...one].findIndex((letter, index) => letter !== other[index]);
  const swapped = one.slice(0, at) + (one[at + 1] ?? '') + (one[at] ?? '') + one.slice(at + 2);
  return swapped === other;
}

function nearest(typed: string, candidates: readonly string[], mostEdits: number): string | undefined {
  let best: string | undefined;
  let bestEdits = mostEdits + 1;
  for (const candidate of candidates) {
    const edits = distance(typed, candidate.toLowerCase());
    if (edits >= bestEdits) continue;
    best = candidate;
    bestEdits = edits;
  }
  return best;
}
