import type { Alert } from '../../fleet/alert.ts';
import { clip } from '../tidy-alert.ts';

type Status = Alert['status'];

/** A title, parted into what kind of alert it is and what it says of its state. */
export interface ReadTitle {
  readonly name: string;
  /** Absent where the title does not tell. */
  readonly status?: Status;
}

/** What integrations call the two states, and an alert as such, which tells no state. */
const firing =
  'firing|(?:re-?)?triggered|alerting|problem|critical|crit|fatal|error|warning|warn|down|unreachable|no[ _]data|' +
  'acknowledged|unacknowledged|escalated|unknown|re-?opened|open|failed|failing|degraded|high|major|minor|ongoing|insufficient[ _]data';
const resolved =
  '(?:auto-?)?resolved|recovered|recovery|okay|ok|closed|cleared|clear|normal|up|fixed|healthy|ended';
const unsure = 'alert|alarm|incident';
const states = `${firing}|${resolved}|${unsure}`;

const isFiring = new RegExp(`^(?:${firing})$`, 'i');
const isResolved = new RegExp(`^(?:${resolved})$`, 'i');

/** `[FIRING:2] NAME`, `[Triggered on {host:h1}] NAME`; also a priority: `[P1] NAME`. */
const bracketed = new RegExp(`^\\[\\s*(?:(${states})\\b[^\\]]*|p[1-5]|sev-?\\d)\\]\\s*(.*)$`, 'iu');
/** `Problem: NAME`, `Resolved in 5m: NAME`, `Triggered #12: NAME`, `CRITICAL - NAME`. */
const leading = new RegExp(
  `^(${states})(?:\\s+(?:alert|alarm|incident))?(?:\\s+(?:in|after|for)\\s[^:]{1,40})?\\s*(?:#\\d+\\s*[:|–—-]?|:|[|–—-]\\s)\\s*(.+)$`,
  'iu',
);
/** `web-01/disk is CRITICAL`, `NAME - RESOLVED`; of a name such as `CPU is high` the last word is a part. */
const atEnd =
  'critical|warning|unknown|down|unreachable|firing|triggered|alerting|up|ok|resolved|recovered|normal|healthy|closed';
const trailing = new RegExp(`^(.+?)(?: is(?: now)? | ?[:|–—-] )(${atEnd})\\W*$`, 'iu');
const inBrackets = new RegExp(`\\[[^\\w[\\]]{0,10}(${firing}|${resolved})\\s*\\]`, 'iu');
/** Pictures, their names and quotation marks before the first word. */
const ornaments = /^(?::[a-z0-9_+-]+:|\p{Extended_Pictographic}|\uFE0F|\u200D|[\s"'“”_~>#•·-])+/iu;

/** What is longer is no title; what makes an alert known stands at its beginning. */
const titleMaxCharacters = 300;
/** More marks than any integration puts before a name. */
const mostMarks = 4;

/** The name is the same whatever the state, so that a resolved alert is known as the one that fired. */
export function readTitle(title: string): ReadTitle {
  let name = clip(title, titleMaxCharacters).replace(/\s+/g, ' ').replace(ornaments, '');
  let status: Status | undefined;
  for (let marks = 0; marks < mostMarks; marks += 1) {
    const [, word, rest] = bracketed.exec(name) ?? leading.exec(name) ?? [];
    if (rest === undefined) break;
    name = rest.replace(ornaments, '');
    if (word !== undefined) status ??= stateOf(word);
  }
  const [, before, word] = trailing.exec(name) ?? [];
  if (before !== undefined && word !== undefined) {
    name = before;
    status ??= stateOf(word);
  }
  return { name: name.trim(), ...(status && { status }) };
}

function stateOf(word: string): Status | undefined {
  if (isResolved.test(word)) return 'resolved';
  return isFiring.test(word) ? 'firing' : undefined;
}

/** What the value of a field such as `Status` says. */
export function statusOfWord(word: string): Status | undefined {
  const plain = word.replace(ornaments, '').trim();
  return stateOf(plain) ?? (/^(?:in )?(?:alarm|alert)$/i.test(plain) ? 'firing' : undefined);
}

/** `[✅ Up]`, wherever it stands in a line. */
export function statusInLine(line: string): Status | undefined {
  const [, word] = inBrackets.exec(line) ?? [];
  return word === undefined ? undefined : stateOf(word);
}

/** Green is resolved and red is firing; other colours tell nothing, they are severities. Slack tells all as digits. */
export function statusOfColor(color: string): Status | undefined {
  const [, red = '', green = '', blue = ''] =
    /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color) ?? [];
  const [r, g, b] = [red, green, blue].map((digits) => Number.parseInt(digits, 16));
  if (r === undefined || g === undefined || b === undefined || Number.isNaN(r)) return undefined;
  if (g > r && g >= b) return 'resolved';
  return r > g && r > b ? 'firing' : undefined;
}
