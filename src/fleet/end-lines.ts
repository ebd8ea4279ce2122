/** What an agent's words end with, and the words before. */
export interface EndLines {
  readonly words: string;
  /** Its own judgement, in lower case. */
  readonly verdict?: string;
  /** What it proposes, as it wrote it. */
  readonly proposal?: string;
  /** The selector of the machines whose supervisors it wants to be asked, as it wrote it. */
  readonly peers?: string;
}

/** Quotes, bullets and Markdown that models put around a line. */
const markup = /^[\s*_`"'>-]+|[\s*_`"']+$/g;
const endLine = /^(PROPOSE|VERDICT|PEERS)[\s*_`]*:[\s*_`]*(.*)$/i;
const names: ReadonlyMap<string, 'verdict' | 'proposal' | 'peers'> = new Map([
  ['PROPOSE', 'proposal'],
  ['VERDICT', 'verdict'],
  ['PEERS', 'peers'],
]);
/** No such line is longer; a longer one is not searched. */
const maxLineCharacters = 500;

/**
 * Reads the lines `PROPOSE: …`, `PEERS: …` and `VERDICT: …` at the end of a comment, in any order, each at most once.
 * What looks like one anywhere else is only talk: the agent may quote what the machine printed.
 */
export function readEndLines(comment: string): EndLines {
  const lines = comment.split('\n');
  const found: { verdict?: string; proposal?: string; peers?: string } = {};
  let end = lines.length;
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] ?? '';
    if (line.length > maxLineCharacters) break;
    const bare = line.replace(markup, '');
    if (bare === '') continue;
    const [, kind = '', value = ''] = endLine.exec(bare) ?? [];
    const name = names.get(kind.toUpperCase());
    if (name === undefined || found[name] !== undefined) break;
    found[name] = name === 'verdict' ? value.toLowerCase() : name === 'peers' ? selectorIn(line) : value;
    end = at;
  }
  return { words: lines.slice(0, end).join('\n').trimEnd(), ...found };
}

/** What stands after `PEERS:`. A selector may begin or end with `*`: of those only the pair of a bold line goes. */
function selectorIn(line: string): string {
  const rest = line.slice(line.search(/PEERS/i) + 'PEERS'.length);
  const plain = /^[\s>-]*(?:\*\s+)?\*\*/.test(line) ? rest.replace('**', '') : rest;
  return plain.replace(/^[\s_`]*:/, '').replace(/^[\s_`"']+|[\s_`"']+$/g, '');
}
