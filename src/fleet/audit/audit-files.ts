import { csvHead, csvLine } from '../csv.ts';
import type { AuditRow, AuditVote } from './audit-row.ts';

/** The forms in which rows are handed out. */
export const auditFormats = ['json', 'csv'] as const;
export type AuditFormat = (typeof auditFormats)[number];

const columns = [
  ...(['at', 'until', 'kind', 'id', 'who', 'what', 'machines', 'selector', 'result', 'detail'] as const),
  ...(['approvedBy', 'deniedBy', 'campaign', 'trace', 'costUsd', 'people', 'history'] as const),
];

/** Where the fact with which it began is not among what was read: nobody shall take that for nobody. */
const notRead = '(not in what was read)';

/**
 * Rows as a file, piece by piece: JSON, one row a line, or CSV with the names of its columns first. Times are ISO
 * 8601, UTC.
 */
export function* auditPieces(rows: Iterable<AuditRow>, format: AuditFormat): Generator<string> {
  if (format === 'csv') yield csvHead(columns);
  for (const row of rows) {
    yield format === 'json'
      ? `${JSON.stringify(written(row))}\n`
      : csvLine(columns.map((column) => cell(row, column)));
  }
}

function written({ at, until, votes, history, ...row }: AuditRow): object {
  return {
    ...{ at: iso(at), until: iso(until), ...row },
    votes: votes.map((vote) => ({ ...vote, at: iso(vote.at) })),
    history: history.map((step) => ({ ...step, at: iso(step.at) })),
  };
}

function cell(row: AuditRow, column: (typeof columns)[number]): string {
  switch (column) {
    case 'at':
    case 'until':
      return iso(row[column]);
    case 'machines':
    case 'people':
      return row[column].join(' ');
    case 'approvedBy':
      return voters(row.votes, 'approve');
    case 'deniedBy':
      return voters(row.votes, 'deny');
    case 'costUsd':
      return row.costUsd === undefined ? '' : String(row.costUsd);
    case 'history':
      return row.history
        .map(
          ({ at, who, what, why }) => `${iso(at)} ${who}: ${what}${why === undefined ? '' : ` (“${why}”)`}`,
        )
        .join('\n');
    case 'who':
    case 'what':
      return row[column] ?? notRead;
    default:
      return row[column] ?? '';
  }
}

/** One vote a line: who, as what, and why. */
function voters(votes: readonly AuditVote[], decision: AuditVote['decision']): string {
  const lines = votes.filter((vote) => vote.decision === decision);
  return lines
    .map(({ userId, groups, reason }) => {
      const as = groups.length === 0 ? '' : ` as ${groups.join(' ')}`;
      return `${userId}${as}${reason === undefined ? '' : `: ${reason}`}`;
    })
    .join('\n');
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
