import type { AuditItem, AuditTally } from '../../fleet/audit/audit-items.ts';
import { type AuditSummary, type AuditVote, auditSummary } from '../../fleet/audit/audit-row.ts';
import { verdictSchema } from '../../fleet/finding.ts';
import { formatCount, formatMoment } from '../../fleet/format.ts';
import { formatUsd } from '../../fleet/money.ts';
import type { LinkTo, TraceLink } from '../ports.ts';
import { codeSpan, mention, notice, prose } from './safe-text.ts';
import { compose, context, header, section, type View } from './view.ts';
import { verdictWords } from './words.ts';

const nameChars = 64;
const whatChars = 200;
const detailChars = 200;
const reasonChars = 120;
const noteChars = 300;
/** A line stays far shorter than a section: of what is long, the files have all. */
const namedMachines = 3;
const namedVotes = 4;
const urlChars = 600;
/** More than fit into any message, however short they are: nothing is worked out for those after them. */
const linesAtMost = 320;

/** What an answer is made of. */
export interface AuditAnswer {
  /** As people typed it, or `all machines`. */
  readonly machines: string;
  /** Slack id. */
  readonly person: string | undefined;
  /** What `Period.words` says, and when it begins. */
  readonly period: { readonly words: string; readonly from: number };
  readonly items: readonly AuditItem[];
  readonly tally: AuditTally;
  /** What else has to be known of the answer, as sentences. */
  readonly notes: readonly string[];
  readonly linkTo: LinkTo;
}

/** What happened: who, what, when, where, with what result, approved by whom; newest first. */
export function auditView({ machines, person, period, items, tally, notes, linkTo }: AuditAnswer): View {
  const title = `Audit: ${prose(period.words, nameChars)}`;
  const about = [
    notice(machines, whatChars),
    ...(person === undefined ? [] : [`with ${mention(person)}`]),
    'times are UTC',
  ].join(' · ');
  const lines = items.slice(0, linesAtMost).map((item) => lineOf(item, period.from, linkTo));
  const beyond = items.length - lines.length;
  return compose({
    text: `${title}: ${tallyWords(tally)}`,
    head: [header(title), context([about]), section(tallyWords(tally))],
    body: lines,
    tail: notes.map((note) => context([notice(note, noteChars)])),
    more: (count) =>
      `and ${formatCount(count + beyond)} more: add \`--csv\` or \`--json\` to get all of it as a file`,
  }).view;
}

/** A file's message: what was asked for, and what it comes to. */
export function auditFileView(answer: Omit<AuditAnswer, 'items' | 'linkTo'>): View {
  return auditView({ ...answer, items: [], linkTo: () => ({ missing: '' }) });
}

function tallyWords({ runs, others }: AuditTally): string {
  const total = runs.reduce((sum, [, count]) => sum + count, 0);
  const kinds = runs.map(([result, count]) => `${formatCount(count)} ${resultWords(result)}`);
  const parts = [
    ...(total === 0 ? [] : [`${counted(total, 'run')}: ${kinds.join(', ')}`]),
    ...(others === 0 ? [] : [counted(others, 'other thing')]),
  ];
  return parts.length === 0 ? 'Nothing happened that you may view.' : parts.join(' · ');
}

function counted(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? '' : 's'}`;
}

function lineOf({ deed, runs }: AuditItem, from: number, linkTo: LinkTo): string {
  const row = auditSummary(deed);
  const ofRuns = runs.map(auditSummary);
  const until = Math.max(row.until, ...ofRuns.map((each) => each.until));
  const votes = [...row.votes, ...ofRuns.flatMap((each) => each.votes)];
  return [
    `\`${formatMoment(until).slice(0, 19)}\``,
    whoWords(row),
    whatWords(row),
    ...whereWords(row, ofRuns),
    ...outcomeWords(row, ofRuns),
    ...voteWords(votes),
    ...costWords(row, ofRuns),
    // Its end is of this period, its beginning is not.
    ...(row.at < from ? [`begun ${formatMoment(row.at)}`] : []),
    ...traceWords(row, linkTo),
  ].join(' · ');
}

/** A person as a mention; anything else as it is. */
function whoWords({ who }: AuditSummary): string {
  if (who === undefined) return 'asked before what could be read';
  return /^[UW][A-Z0-9]+$/.test(who) ? mention(who) : prose(who, nameChars);
}

function whatWords({ what, kind, id }: AuditSummary): string {
  return what === undefined ? `${kind} ${codeSpan(id, nameChars)}` : prose(what, whatChars);
}

function whereWords({ machines, kind }: AuditSummary, runs: readonly AuditSummary[]): readonly string[] {
  const names =
    kind === 'campaign' && runs.length > 0 ? runs.flatMap((run) => run.machines).sort() : machines;
  if (names.length === 0) return [];
  if (names.length > namedMachines) return [`*${formatCount(names.length)} machines*`];
  return [names.map((name) => `*${prose(name, nameChars)}*`).join(', ')];
}

/** Results that say what the words before them say. */
const isTold: ReadonlySet<string> = new Set(['halted', 'silenced', 'open']);
/** Single facts: what happened is all that there is to say. */
const single: ReadonlySet<AuditSummary['kind']> = new Set([
  'refusal',
  'machine',
  'schedule',
  'policy',
  'budget',
]);

function outcomeWords(
  { kind, result, detail }: AuditSummary,
  runs: readonly AuditSummary[],
): readonly string[] {
  const details = detail === '' ? [] : [prose(detail, detailChars)];
  if (single.has(kind)) return details;
  if (kind !== 'campaign') return [...(isTold.has(result) ? [] : [resultWords(result)]), ...details];
  const counts = new Map<string, number>();
  for (const run of runs) counts.set(run.result, (counts.get(run.result) ?? 0) + 1);
  const tally = [...counts].map(([each, count]) => `${formatCount(count)} ${resultWords(each)}`).join(', ');
  return [...(tally === '' ? [] : [tally]), ...(result === 'handed in' ? [] : [result]), ...details];
}

/** A verdict with its sign; other results are words of ours. */
function resultWords(result: string): string {
  const verdict = verdictSchema.safeParse(result).data;
  return verdict === undefined ? `*${prose(result, nameChars)}*` : verdictWords[verdict];
}

function voteWords(votes: readonly AuditVote[]): readonly string[] {
  const shown = votes.slice(0, namedVotes).map(({ userId, decision, groups, reason }) => {
    const as = groups.length === 0 ? '' : ` (${groups.map((group) => prose(group, nameChars)).join(', ')})`;
    const why = reason === undefined ? '' : `: “${prose(reason, reasonChars)}”`;
    return `${decision === 'approve' ? 'approved' : 'denied'} by ${mention(userId)}${as}${why}`;
  });
  const more = votes.length - shown.length;
  return [...shown, ...(more > 0 ? [`${formatCount(more)} more votes`] : [])];
}

/** What is not known is not counted as nothing. */
function costWords(row: AuditSummary, runs: readonly AuditSummary[]): readonly string[] {
  const known = [row, ...runs].flatMap(({ costUsd }) => costUsd ?? []);
  const sum = known.reduce((total, cost) => total + cost, 0);
  if (known.length === 0) return [];
  return [`${runs.length > known.length ? 'at least ' : ''}${formatUsd(sum)}`];
}

/** To the run's trace, or to all traces of what has several. */
function traceWords({ kind, id, trace }: AuditSummary, linkTo: LinkTo): readonly string[] {
  if (trace !== undefined) return linkWords(linkTo({ trace: { traceId: trace } }), 'trace');
  if (kind === 'campaign') return linkWords(linkTo({ campaign: id }), 'traces');
  return kind === 'incident' ? linkWords(linkTo({ incident: id }), 'traces') : [];
}

function linkWords(link: TraceLink, words: string): readonly string[] {
  if ('missing' in link || link.url.length > urlChars || /[<>|]/.test(link.url)) return [];
  return [`<${link.url.replaceAll('&', '&amp;')}|${words}>`];
}
