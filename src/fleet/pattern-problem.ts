/** A longer pattern is a program, and nobody reviews it as one. */
const maxPatternCharacters = 200;

/** A group repeated at least this often counts as repeated without end. */
const manyRepeats = 10;

/**
 * What is wrong with a regular expression from the fleet file; undefined when it may be used. Besides syntax,
 * it refuses what can take exponential time on unlucky output: a repeated group that itself holds a repeat
 * or alternatives, and back-references.
 */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > maxPatternCharacters) {
    return `is longer than ${maxPatternCharacters} characters; match less, or let the command print less`;
  }
  try {
    new RegExp(pattern, 'm');
  } catch (error) {
    return `is not a regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
  // Escapes and character classes hold no structure; what is left of them is one plain character.
  if (/\\(?:[1-9]|k<)/.test(pattern.replaceAll('\\\\', ''))) {
    return 'holds a back-reference, which can take endless time; write the text out';
  }
  const bare = pattern.replace(/\\./gs, 'x').replace(/\[[^\]]*\]/g, 'x');
  return repeatsARepeat(bare)
    ? 'repeats a group that itself holds a repeat or alternatives, which can take endless time; repeat a single character or class instead'
    : undefined;
}

function repeatsARepeat(bare: string): boolean {
  const open: { complex: boolean }[] = [];
  for (let at = 0; at < bare.length; at++) {
    const character = bare[at];
    if (character === '(') {
      open.push({ complex: false });
      // The `?` of `(?:` and its like is no repeat.
      if (bare[at + 1] === '?') at++;
      continue;
    }
    const repeated = isManyRepeats(bare.slice(at + 1));
    if (character === ')') {
      const inner = open.pop();
      if (inner?.complex && repeated) return true;
      const outer = open.at(-1);
      if (outer && (inner?.complex || repeated)) outer.complex = true;
    } else {
      const inner = open.at(-1);
      if (inner && (repeated || character === '|')) inner.complex = true;
    }
  }
  return false;
}

/** Whether text begins with a quantifier that allows many repeats. */
function isManyRepeats(text: string): boolean {
  const match = /^(?:[*+]|\{(\d+)(,?)(\d*)\})/.exec(text);
  if (match === null) return false;
  const [, least, comma, most] = match;
  if (least === undefined || (comma === ',' && most === '')) return true;
  return Number(most || least) >= manyRepeats;
}
