import { readEndLines } from './end-lines.ts';
import type { Finding, Severity } from './finding.ts';
import { formatNumber } from './format.ts';

/** How far a percentage in a comment may be from the measured one: rounding, and the minutes between them. */
export const tolerancePoints = 2;

/**
 * The same for a percentage of the other side (free where used was measured): what a file system reserves
 * and what a kernel can reclaim is in neither.
 */
export const otherSideTolerancePoints = 8;

/** Nobody states a fact in a longer sentence; a longer text without an end is not searched. */
const maxSentenceCharacters = 500;

/**
 * Sentences for people about where the agent's comment contradicts the evidence: its line `VERDICT: x` at the end,
 * percentages, and plain claims such as "is full" or "is running". Cautious: only present-tense statements of
 * the shape SUBJECT is CLAIM (or CLAIM on SUBJECT) count; conditions, limits, plans and the past do not.
 */
export function contradictions(comment: string, verdict: Severity, findings: readonly Finding[]): string[] {
  const claims = comment
    .split(/\n|[.;!](?=\s|$)|(?<=\?)/)
    .filter((sentence) => sentence.length <= maxSentenceCharacters && !notAStatement.test(sentence))
    .flatMap((sentence) => findings.flatMap((finding) => claimsAbout(sentence, finding)));
  return [...new Set([...wrongVerdict(comment, verdict), ...claims])];
}

/** Markdown around words: the agent may write **`/var`** or "/var". */
const markup = '[\\s*_`"\'“”]*';

/** Whoever says one of these words does not state what is. */
const notAStatement =
  /\?\s*$|\b(?:if|when|whenever|whether|once|unless|until|till|would|could|should|might|may|must|will|assum\w*|suppos\w*|hypothetical\w*|was|were|had|yesterday|ago|previously|earlier|formerly|after|before|since|last|next|soon|expect\w*|target\w*|example|e\.g|ensure|make sure|check that|verify|not sure|limits?\s+(?:for|of|on)|thresholds?\s+(?:for|of|on)|limits|thresholds)\b/i;

/** What may stand between a subject and its percentage. Anything else (`limit`, `not`, `was`) ends the claim. */
const between = `${markup}(?:(?:is|now|currently|at|still|only|already|about|around|roughly|approximately|just|has|with|shows|stands|sits|usage|use|used|uses|using|utili[sz]ation|capacity|full|available|free|inodes?|disk|space|file\\s?system|partition|mount|volume)\\b${markup}|[:(,=~≈-]${markup})*`;

const percentage = '(\\d{1,3}(?:\\.\\d+)?)\\s?(?:%|percent\\b)';

/** What may follow a percentage. Anything else makes it one of something else: `40 % logs`, `50 % of its limit`. */
const following =
  /^[\s*_`"'”]*(?:$|[,:)\]—–]|\(\d|(?:used|full|in use|free|available|utili[sz]\w+|usage|capacity|now|currently|and|but|so|which|while|of\s+(?:total|capacity|inodes))\b|of\s+\d)/i;

function wrongVerdict(comment: string, verdict: Severity): string[] {
  const said = /^([a-z]+)\W*$/.exec(readEndLines(comment).verdict ?? '')?.[1];
  if (said === undefined || said === verdict) return [];
  return [`The agent says "VERDICT: ${said}"; the evidence says ${verdict}.`];
}

function claimsAbout(sentence: string, finding: Finding): string[] {
  const subject = subjectPattern(finding);
  return [...percentClaims(sentence, subject, finding), ...stateClaims(sentence, subject, finding)];
}

/** The subject as a word of its own: `/var` is neither `/var/log` nor `/srv/var`. */
function subjectPattern(finding: Finding): string {
  const isService = finding.measure?.unit === 'active';
  const name = literal(isService ? finding.subject.replace(/\.service$/, '') : finding.subject);
  return `(?<![\\w/.@-])${name}${isService ? '(?:\\.service)?' : ''}(?![\\w/@-]|\\.\\w)`;
}

function percentClaims(sentence: string, subject: string, finding: Finding): string[] {
  const measure = finding.measure;
  if (measure === undefined || !measure.unit.startsWith('%')) return [];
  if (/\binodes?\b/i.test(sentence) !== measure.unit.includes('inodes')) return [];
  const after = new RegExp(
    `${subject}${between}${percentage}(\\s*(?:used|full|in use|free|available))?`,
    'gi',
  );
  const before = new RegExp(
    `${percentage}\\s*(?:used|full|in use|free|available)${markup}(?:on|in|for|at)${markup}${subject}`,
    'gi',
  );
  return [...sentence.matchAll(after), ...sentence.matchAll(before)].flatMap((match) => {
    const rest = sentence.slice(match.index + match[0].length);
    if (!following.test(rest)) return [];
    const claimed = Number(match[1]);
    if (agrees(claimed, measure.value, measure.unit, match[0])) return [];
    return [
      `The agent says "${quote(match[0])}"; the evidence says ${formatNumber(measure.value)} ${measure.unit}.`,
    ];
  });
}

/** Whether a claimed percentage fits the measured one; where the words leave the side open, either side will do. */
function agrees(claimed: number, measured: number, unit: string, words: string): boolean {
  const saysFree = /\b(?:free|available)\b/i.test(words);
  const saysUsed = /\b(?:us(?:ed|age|e|es|ing)|full|utili[sz]ation)\b/i.test(words);
  const measuredFree = unit.includes('available');
  const fitsSame = Math.abs(claimed - measured) <= tolerancePoints;
  const fitsOther = Math.abs(claimed - (100 - measured)) <= otherSideTolerancePoints;
  if (saysFree && saysUsed) return fitsSame || fitsOther;
  if (measuredFree) return saysFree ? fitsSame : saysUsed ? fitsOther : fitsSame || fitsOther;
  return saysFree ? fitsOther : fitsSame;
}

const unwell: readonly Severity[] = ['warning', 'critical'];

/** Words for a state, and when the evidence contradicts them. */
const states: readonly { words: string; contradicted: (finding: Finding) => boolean }[] = [
  {
    words: 'healthy|fine|ok|okay|normal|in good shape|within (?:its |the )?limits',
    contradicted: (finding) => unwell.includes(finding.severity),
  },
  {
    words: 'full',
    contradicted: (finding) => finding.severity === 'ok' && finding.measure?.unit === '%',
  },
  {
    words: 'active|running|up and running|up',
    contradicted: (finding) => finding.measure?.unit === 'active' && finding.measure.value === 0,
  },
  {
    words: 'inactive|failed|dead|stopped|down|not running|not active',
    contradicted: (finding) => finding.measure?.unit === 'active' && finding.measure.value === 1,
  },
];

function stateClaims(sentence: string, subject: string, finding: Finding): string[] {
  return states
    .filter((state) => state.contradicted(finding))
    .flatMap(({ words }) => {
      const adverb = '(?:(?:now|currently|still|already|completely)\\s+)?';
      // The claim has to be the end of its clause: "is up to date" and "is running out of memory" are others.
      const claim = new RegExp(
        `${subject}${markup}(?:service\\s+|unit\\s+)?(?:is|are)\\s+${adverb}${markup}(?:${words})(?=${markup}(?:$|[,:()—–]|and\\b|but\\b))`,
        'gi',
      );
      return [...sentence.matchAll(claim)].map(
        (match) => `The agent says "${quote(match[0])}"; the evidence says: ${finding.text}.`,
      );
    });
}

function quote(words: string): string {
  return words
    .replace(/[*_`"“”]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
