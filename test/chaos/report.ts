import type { Run } from '../../src/fleet/run.ts';
import { median } from '../bench/quantile.ts';
import type { BookEntry } from '../support/simulated-fleet/books.ts';
import type { Recovery } from './recoveries.ts';
import type { Evidence, Findings, Violation } from './verify.ts';

/** What the report tells beside what was verified. */
export interface Story {
  readonly happened: ReadonlyMap<string, number>;
  readonly deliveries: number;
  readonly trapsSprung: number;
  readonly trapsLeft: number;
  readonly droppedWakes: number;
}

const violationsShown = 20;
const entriesShown = 25;
const textShown = 80;

/** The books as one table. */
export function books(
  { sent, records, machines, messages }: Evidence,
  findings: Findings,
  story: Story,
): string {
  const receipts = [...sent.values()];
  const acknowledged = receipts.filter((each) => each.receipts.some(({ kind }) => kind === 'stored'));
  const last = receipts
    .filter((each) => !acknowledged.includes(each))
    .map((each) => each.receipts.at(-1)?.text);
  const unacknowledged = [...Map.groupBy(last, (text) => text?.slice(0, textShown) ?? '')].map(
    ([text, { length }]) => `${length} × ${text}`,
  );
  const runs = [...records.runs.values()];
  const entries = machines.flatMap(({ books }) => books.entries);
  const verbs = (verb: string, outcome?: string) => count(entries, isVerb(verb, outcome));
  const verdicts = [...Map.groupBy(runs, ({ verdict }) => verdict ?? 'none')].map(
    ([key, { length }]) => `${key} ${length}`,
  );
  const faults = [...Map.groupBy(entries.filter(isFault), ({ fault }) => fault)].map(
    ([key, { length }]) => `${key} ${length}`,
  );
  const rows: [string, number | string][] = [
    ['Commands typed (delivered)', `${receipts.length} (${story.deliveries})`],
    ['… acknowledged', acknowledged.length],
    ['… or told why not', unacknowledged.toSorted().join(', ') || 'none'],
    ['… for so many machines', acknowledged.reduce((sum, { command }) => sum + command.machines.length, 0)],
    ['Runs recorded', runs.length],
    ['… by verdict', verdicts.toSorted().join(', ')],
    [
      '… in campaigns',
      `${count(runs, ({ request }) => request.campaign !== undefined)} in ${records.campaigns.size}`,
    ],
    ['… inertness unknown', count(runs, ({ inertness }) => inertness === 'unknown')],
    ['… with a second activation', count(runs, ({ diagnosis }) => (diagnosis?.activations ?? 0) > 1)],
    ['Messages in Slack', messages.length],
    [
      'Killed, frozen and troubled',
      [...story.happened].map(([kind, times]) => `${kind} ${times}`).join(', '),
    ],
    ['Killed at a write (not reached)', `${story.trapsSprung} (${story.trapsLeft})`],
    ['Wakes dropped', story.droppedWakes],
    ['Faults of machines', faults.toSorted().join(', ')],
    ['Status asked', verbs('status')],
    ['Evidence calls', verbs('evidence', 'accepted')],
    ['Agents started', count(entries, ({ kind }) => kind === 'alive')],
    ['Agents gone', count(entries, ({ kind }) => kind === 'gone')],
    ['Tasks given', count(entries, ({ kind }) => kind === 'task')],
    ['Stops', verbs('stop', 'accepted')],
    ['Calls with an old fence, refused', count(entries, isOldFence)],
    ['Writes asked for', verbs('act')],
    ["Lost with Redis' last second", findings.lostWithRedis],
    ["Told twice after Redis' last second", findings.toldTwiceWithRedis],
    ['Violations', findings.violations.length],
  ];
  return ['| The books | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join(
    '\n',
  );
}

/** Median and worst of the times that runs waited for another worker. */
export function recoveryLines(recoveries: readonly Recovery[]): string {
  const line = (name: string, some: readonly Recovery[]) => {
    const times = some.map(({ ms }) => ms / 1_000);
    if (times.length === 0) return `${name}: none measured`;
    return `${name}: median ${median(times).toFixed(1)} s, worst ${Math.max(...times).toFixed(1)} s, of ${times.length} runs`;
  };
  return [
    line(
      'Recovery after a killed worker',
      recoveries.filter(({ undisturbed }) => undisturbed),
    ),
    line('The same, also where Redis, its wakes or all workers were gone meanwhile', recoveries),
  ].join('\n');
}

/** The first violations, each with the timeline of its run and the books of its machine. */
export function violationLines({ violations }: Findings, evidence: Evidence): string {
  const shown = violations.slice(0, violationsShown).map((violation) => describe(violation, evidence));
  const rest = violations.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n\n');
}

function describe(
  { sentence, runId, machine: named }: Violation,
  { records, machines, messages }: Evidence,
): string {
  const run = runId === undefined ? undefined : records.runs.get(runId);
  const machine = named ?? run?.request.machine;
  const books = machines.find(({ name }) => name === machine)?.books.entries ?? [];
  const about = books.findLastIndex((entry) => 'run' in entry && entry.run === runId);
  const end = about < 0 ? books.length : about + entriesShown / 2;
  const posts = messages.filter(
    ({ blocks }) => runId !== undefined && blocks?.some(({ block_id: id }) => id?.includes(runId)),
  );
  return [
    `VIOLATION: ${sentence} (run ${runId ?? '–'}, machine ${machine ?? '–'})`,
    ...(run ? [`  ${timeline(run)}`] : []),
    ...posts.map(({ ts, channel, text }) => `  in ${channel} at ${ts}: ${text.slice(0, textShown)}`),
    ...books.slice(Math.max(0, end - entriesShown), end).map((entry) => `  ${line(entry)}`),
  ].join('\n');
}

function timeline({ request, timeline, verdict, inertness, failure, diagnosis }: Run): string {
  const states = timeline.map(({ state, at }) => `${time(at)} ${state}`).join(' → ');
  const ends = [verdict, inertness, failure?.code, diagnosis?.failure?.code, request.eventId];
  return `${states}; ${ends.filter((end) => end !== undefined).join(', ')}`;
}

function line({ at, ...entry }: BookEntry): string {
  return `${time(at)} ${Object.values(entry).join(' ')}`;
}

function time(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}

function count<T>(items: readonly T[], matches: (item: T) => boolean): number {
  return items.filter(matches).length;
}

function isVerb(verb: string, outcome?: string) {
  return (entry: BookEntry) =>
    entry.kind === 'verb' && entry.verb === verb && (outcome === undefined || entry.outcome === outcome);
}

function isOldFence(entry: BookEntry): boolean {
  return entry.kind === 'verb' && entry.outcome === 'old-fence';
}

function isFault(entry: BookEntry): entry is Extract<BookEntry, { kind: 'fault' }> {
  return entry.kind === 'fault';
}
