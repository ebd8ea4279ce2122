import { distance } from 'fastest-levenshtein';

/** One edit in this many characters may be a typo (two swapped letters are two edits); more is another word. */
const charactersPerTypo = 2;

/**
 * The candidate that was probably meant: the nearest one by edits, upper and lower case alike, or one that
 * begins with the word. undefined when nothing is near.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let bestEdits = Math.max(1, Math.floor(typed.length / charactersPerTypo)) + 1;
  let begins: string | undefined;
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    const edits = distance(typed, known);
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
    if (typed !== '' && known.startsWith(typed)) begins ??= candidate;
  }
  return best ?? begins;
}
