import { suggest } from './suggest.ts';

/**
 * Command patterns: the text form of a command that the agent may run on its machine.
 *
 *   systemctl status {unit*}          journalctl -u {unit} -n {number} {--no-pager?}
 *   df {flags:hTiPa*} {path?}         ip {-s|-br*} {link|address} {show?}
 *
 * A word outside braces stands for itself. `{KIND}` is one value of a kind, `{KIND?}` one or none, `{KIND*}` up to
 * `maxRepeats` or none. `{a|b|c}` is one of several words, `{-x?}` a word that may be left out. Braces may stand
 * inside a word: `--lines={number}`. There is no shell: nothing is quoted, expanded or piped.
 *
 * No value of a kind but `flags` can begin with `-`, so none can be taken for an option; none but `path` can hold
 * a `/`, so none can name a file that was not checked.
 */

/** How many words `{…*}` stands for at most. */
export const maxRepeats = 16;

/** One place of a command in the machine's policy. */
export interface PolicyWord {
  /** Regular expression for the whole argument, in what JavaScript and Python have in common. */
  readonly match: string;
  /** How many arguments this place takes. */
  readonly min: number;
  readonly max: number;
  /** The argument is a path, which the machine checks against what may be read. */
  readonly path?: true;
}

/** What is wrong with a pattern, and what to write. */
export interface CommandProblem {
  readonly problem: string;
  readonly cure: string;
}

const clock = '[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?';
const ago = '[0-9]{1,6} ?(?:s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?) ago';

const kinds: ReadonlyMap<string, string> = new Map([
  ['unit', '[A-Za-z0-9:_.@\\\\][A-Za-z0-9:_.@\\\\-]{0,254}'],
  ['path', '/[^\\x00-\\x1f\\x7f]*'],
  ['number', '[0-9]{1,9}'],
  [
    'time',
    `(?:now|today|yesterday|@[0-9]{1,12}|${clock}|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T]${clock})?|${ago})`,
  ],
  ['name', '[A-Za-z0-9_][A-Za-z0-9_.:+~@-]{0,127}'],
]);

/**
 * Programs that run what their arguments say: a pattern for one of them would list far more than it shows. The list
 * is a help against the usual mistakes; what a pattern's author writes out is listed.
 */
const runners =
  /^(?:(?:ba|da|z|k|fi|c|tc)?sh|busybox|env|xargs|parallel|sudo|su|doas|pkexec|runuser|setpriv|nsenter|unshare|chroot|ssh|timeout|nice|ionice|nohup|setsid|stdbuf|flock|watch|script|expect|systemd-run|python[0-9.]*|perl|ruby|node|deno|bun|lua|php|tclsh|gdb)$/;

/** Programs that do nothing but change something, and the words that make `systemctl` one of them. */
const changers =
  /^(?:rm|rmdir|mv|cp|ln|dd|tee|touch|truncate|install|shred|mk[a-z0-9.]+|ch(?:mod|own|grp|attr|passwd|age)|k(?:ill|illall)|pkill|reboot|shutdown|poweroff|halt|u?mount|swapoff|(?:user|group)(?:add|mod|del)|passwd|visudo|crontab|modprobe|insmod|rmmod)$/;
const changingVerbs =
  /^(?:start|stop|restart|reload|try-restart|reload-or-restart|kill|enable|disable|mask|unmask|edit|revert|link|set-[a-z]+|isolate|daemon-re(?:load|exec)|reset-failed|clean|freeze|thaw|re?boot|poweroff|halt|suspend|hibernate|rescue|emergency|kexec)$/;

/** Reads a pattern: the words of the policy, or what is wrong. */
export function readCommandPattern(text: string): readonly PolicyWord[] | CommandProblem {
  const [program = '', ...rest] = text.trim().split(/\s+/);
  const wrong = programProblem(program) ?? changeProblem(program, rest);
  if (wrong) return wrong;
  const words: PolicyWord[] = [];
  for (const word of [program, ...rest]) {
    const read = readWord(word);
    if (isProblem(read)) return read;
    words.push(read);
  }
  return words;
}

/** Whether this is a program, by its name or its path, that runs what its arguments say. */
export function runsItsArguments(program: string): boolean {
  return runners.test(program.replace(/^.*\//, ''));
}

/** Whether reading came to a problem. */
export function isProblem<T extends object>(read: T | CommandProblem): read is CommandProblem {
  return 'problem' in read;
}

function programProblem(program: string): CommandProblem | undefined {
  if (program === '') return { problem: 'is empty', cure: 'Write a command such as "df {flags:hT*}"' };
  if (runners.test(program)) {
    const problem = `"${program}" runs whatever its arguments say`;
    return { problem, cure: 'List the command itself; there is no shell' };
  }
  if (/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(program)) return undefined;
  const problem = `"${program}" is no bare program name`;
  return { problem, cure: 'Begin with the name alone, such as "df": the machine looks it up itself' };
}

/** The agent only reads: whoever lists a change by mistake learns it here, and not from the machine. */
function changeProblem(program: string, rest: readonly string[]): CommandProblem | undefined {
  const verb = program === 'systemctl' ? rest.find((word) => changingVerbs.test(word)) : undefined;
  if (verb === undefined && !changers.test(program)) return undefined;
  const problem = `"${verb === undefined ? program : `${program} ${verb}`}" changes the machine, and the agent only reads`;
  return { problem, cure: 'Remove it: changes are actions, which people approve' };
}

/** A part of a word: text that stands for itself, or what stands in braces. */
type Piece = { readonly literal: string } | { readonly braced: string };

function readWord(word: string): PolicyWord | CommandProblem {
  const pieces = piecesOf(word);
  if (isProblem(pieces)) return pieces;
  const [first, second] = pieces;
  if (first && 'braced' in first && !second) return readWhole(first.braced);
  const match = joined(pieces);
  return typeof match === 'string' ? { match: `^${match}$`, min: 1, max: 1 } : match;
}

/** Braces that are a word of their own: only they may repeat, and only they may be a path. */
function readWhole(braced: string): PolicyWord | CommandProblem {
  const sign = /[?*]$/.exec(braced)?.[0];
  const body = sign === undefined ? braced : braced.slice(0, -1);
  const match = body === 'path' ? kinds.get('path') : bodyPattern(body);
  if (typeof match === 'object') return match;
  const times = { min: sign === undefined ? 1 : 0, max: sign === '*' ? maxRepeats : 1 };
  return { match: `^${match}$`, ...times, ...(body === 'path' && { path: true }) };
}

/** The regular expression of what stands in braces, without `?` and `*`. */
function bodyPattern(body: string): string | CommandProblem {
  const alternatives = alternativesOf(body);
  if (alternatives.length > 1 || body.startsWith('-')) {
    const patterns: string[] = [];
    for (const alternative of alternatives) {
      const pieces = piecesOf(alternative);
      const pattern = isProblem(pieces) ? pieces : joined(pieces);
      if (typeof pattern !== 'string') return pattern;
      patterns.push(pattern);
    }
    return `(?:${patterns.join('|')})`;
  }
  const flags = /^flags:(.*)$/.exec(body)?.[1];
  if (flags !== undefined) return flagsPattern(flags);
  if (body === 'path') {
    const problem = '{path} is only a part of a word here, where the machine could not check it';
    return { problem, cure: 'Let {path}, {path?} or {path*} be a word of its own' };
  }
  return kinds.get(body) ?? unknownKind(body);
}

function flagsPattern(letters: string): string | CommandProblem {
  if (/^[A-Za-z0-9]+$/.test(letters)) return `-[${letters}]{1,${letters.length}}`;
  const problem = `{flags:${letters}} does not list letters`;
  return { problem, cure: 'List the single letters that are allowed after one "-", such as {flags:hT}' };
}

function unknownKind(body: string): CommandProblem {
  const known = [...kinds.keys(), 'flags:LETTERS'];
  const problem = `there is no kind {${body}}`;
  if (/[?*]$/.test(body)) {
    return { problem, cure: 'Let what may be left out or repeated be a word of its own, such as {unit*}' };
  }
  const meant = suggest(body, known);
  const cure = meant === undefined ? `There are: ${known.join(', ')}` : `Did you mean {${meant}}?`;
  return { problem, cure };
}

function joined(pieces: readonly Piece[]): string | CommandProblem {
  let pattern = '';
  for (const piece of pieces) {
    const part = 'literal' in piece ? literalPattern(piece.literal) : bodyPattern(piece.braced);
    if (typeof part !== 'string') return part;
    pattern += part;
  }
  return pattern;
}

function literalPattern(literal: string): string | CommandProblem {
  const foreign = /[^A-Za-z0-9_./:=,+@%~^-]/.exec(literal)?.[0];
  if (foreign === undefined) return literal.replace(/[.+^]/g, '\\$&');
  const problem = `"${foreign}" cannot stand in a word`;
  if (foreign === '*' || foreign === '?') {
    return { problem, cure: 'Write what may stand there in braces, such as {unit*} or {name?}' };
  }
  return {
    problem,
    cure: 'Write plain words and {braces}: there is no shell, so nothing is quoted or piped',
  };
}

/** A word cut at its outermost braces. */
function piecesOf(word: string): readonly Piece[] | CommandProblem {
  const pieces: Piece[] = [];
  const cure = 'Write every { with its }, and no blank between them';
  let depth = 0;
  let begun = 0;
  for (let at = 0; at < word.length; at++) {
    const character = word[at];
    if (character === '{' && depth++ === 0) {
      if (at > begun) pieces.push({ literal: word.slice(begun, at) });
      begun = at + 1;
    }
    if (character !== '}') continue;
    if (depth === 0) return { problem: `"${word}" closes a brace that it does not open`, cure };
    if (--depth === 0) {
      pieces.push({ braced: word.slice(begun, at) });
      begun = at + 1;
    }
  }
  if (depth > 0) return { problem: `"${word}" does not close a brace`, cure };
  if (begun < word.length) pieces.push({ literal: word.slice(begun) });
  if (pieces.length > 0) return pieces;
  return { problem: 'a choice is empty', cure: 'Write a word on either side of "|"' };
}

/** What stands between the outermost `|`. */
function alternativesOf(body: string): readonly string[] {
  const alternatives = [''];
  let depth = 0;
  for (const character of body) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === '|' && depth === 0) alternatives.push('');
    else alternatives.push(`${alternatives.pop()}${character}`);
  }
  return alternatives;
}
