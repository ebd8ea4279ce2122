import type { Campaign } from '../../fleet/campaign.ts';
import { csvText } from '../../fleet/csv.ts';
import { latestFindings } from '../../fleet/latest-findings.ts';
import { describeTask } from '../../fleet/request.ts';
import type { Run } from '../../fleet/run.ts';
import type { FileContent } from './view.ts';
import { findingWords } from './words.ts';

/** The columns of the CSV file, and the fields of a machine in the JSON file that stand for them. */
const columns = [
  ...(['machine', 'verdict', 'run', 'findings', 'failure', 'inertness'] as const),
  ...(['acceptedAt', 'begunAt', 'doneAt', 'comment', 'contradictions', 'whyNot'] as const),
];

interface Row {
  readonly machine: string;
  /** Absent where the machine got no run. */
  readonly verdict?: string | undefined;
  readonly run?: string | undefined;
  readonly findings?: readonly {
    readonly severity: string;
    readonly subject: string;
    readonly text: string;
  }[];
  readonly failure?: { readonly code: string; readonly message: string } | undefined;
  readonly inertness?: string;
  /** ISO 8601, UTC. */
  readonly acceptedAt?: string;
  readonly begunAt?: string | undefined;
  readonly doneAt?: string | undefined;
  /** The agent's own words. */
  readonly comment?: string | undefined;
  readonly contradictions?: readonly string[];
  /** Why it got no run. */
  readonly whyNot?: string | undefined;
}

/** Every machine of a campaign that is over, as files for its thread: one for spreadsheets, one for programs. */
export function campaignFiles(
  campaign: Campaign,
  runs: readonly Run[],
): { csv: FileContent; json: FileContent } {
  const rows = rowsOf(campaign, runs);
  const { id, selector, task, acceptedAt } = campaign;
  const head = { campaign: id, task: describeTask(task), selector, acceptedAt: moment(acceptedAt) };
  const file = (ending: string, content: string): FileContent => ({
    filename: `${id}-machines.${ending}`,
    title: `All machines of campaign ${id} (${ending})`,
    content,
  });
  return {
    csv: file(
      'csv',
      csvText(
        columns,
        rows.map((row) => columns.map((column) => words(row, column))),
      ),
    ),
    json: file('json', `${JSON.stringify({ ...head, machines: rows }, null, 1)}\n`),
  };
}

function rowsOf({ machines, leftOut = [], ended }: Campaign, runs: readonly Run[]): readonly Row[] {
  const byMachine = new Map(runs.map((run) => [run.request.machine, run]));
  const reasons = new Map(leftOut.map(({ machine, why }) => [machine, why]));
  const others = [...reasons.keys()].filter((machine) => !machines.includes(machine));
  const endedBy = ended && `the campaign was ended by ${ended.by.userId}`;
  return [...machines, ...others].map((machine) => {
    const run = byMachine.get(machine);
    return run === undefined
      ? { machine, whyNot: reasons.get(machine) ?? endedBy ?? 'its run is no longer kept' }
      : rowOf(run);
  });
}

function rowOf(run: Run): Row {
  const { id, request, verdict, failure, inertness, diagnosis, timeline } = run;
  const enteredAt = (state: Run['state']): string | undefined => {
    const at = timeline.find((step) => step.state === state)?.at;
    return at === undefined ? undefined : moment(at);
  };
  return {
    ...{ machine: request.machine, verdict, run: id, failure, inertness },
    findings: latestFindings(run).map(({ severity, subject, text }) => ({ severity, subject, text })),
    ...{ acceptedAt: moment(request.acceptedAt), begunAt: enteredAt('gathering'), doneAt: enteredAt('done') },
    comment: diagnosis?.comment?.trim(),
    contradictions: diagnosis?.contradictions ?? [],
  };
}

function moment(atMs: number): string {
  return new Date(atMs).toISOString();
}

function words(row: Row, column: (typeof columns)[number]): string {
  switch (column) {
    case 'findings':
      return (row.findings ?? []).map((each) => `${each.severity} ${findingWords(each)}`).join('\n');
    case 'failure':
      return row.failure === undefined ? '' : `${row.failure.code}: ${row.failure.message}`;
    case 'contradictions':
      return (row.contradictions ?? []).join('\n');
    default:
      return row[column] ?? '';
  }
}
