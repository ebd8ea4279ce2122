/** What an agent's words end with, and the words before. */
export interface EndLines {
  readonly words: string;
  /** Its own judgement, in lower case. */
  readonly verdict?: string;
  /** What it proposes, as it wrote it. */
  readonly proposal?: string;
}

/** Quotes, bullets and Markdown that models put around a line. */
const markup = /^[\s*_`"'>-]+|[\s*_`"']+$/g;
const endLine = /^(PROPOSE|VERDICT)[\s*_`]*:[\s*_`]*(.*)$/i;
/** No such line is longer; a longer one is not searched. */
const maxLineCharacters = 500;

/**
 * Reads the lines `PROPOSE: …` and `VERDICT: …` at the end of a comment, in either order, each at most once. What
 * looks like one anywhere else is only talk: the agent may quote what the machine printed.
 */
export function readEndLines(comment: string): EndLines {
  const lines = comment.split('\n');
  const found: { verdict?: string; proposal?: string } = {};
  let end = lines.length;
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] ?? '';
    if (line.length > maxLineCharacters) break;
    const bare = line.replace(markup, '');
    if (bare === '') continue;
    const [, kind, value = ''] = endLine.exec(bare) ?? [];
    const name = kind?.toUpperCase() === 'VERDICT' ? 'verdict' : 'proposal';
    if (kind === undefined || found[name] !== undefined) break;
    found[name] = name === 'verdict' ? value.toLowerCase() : value;
    end = at;
  }
  return { words: lines.slice(0, end).join('\n').trimEnd(), ...found };
}
