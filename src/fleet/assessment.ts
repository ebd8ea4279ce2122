import type { LedgerEntry } from './ledger-entry.ts';

/** What one person made of a run, as it is kept with the run's trace. The last word of each person counts. */
export interface Assessment {
  /** Where it stands in the ledger: the same for every delivery, and higher for later words (see `isLaterWord`). */
  readonly id: string;
  /** Id of the trace, 32 hex digits. */
  readonly trace: string;
  readonly name: 'operator_rating' | 'approval';
  /** A rating: whether the answer was good. */
  readonly value: boolean | 'approved' | 'denied';
  /** Slack id of the person. */
  readonly person: string;
  /** Redacted. */
  readonly reason?: string;
}

/** What an entry of the ledger says of a trace; undefined where it says nothing. @param id where it stands there */
export function assessmentOf(entry: LedgerEntry, id: string): Assessment | undefined {
  switch (entry.kind) {
    case 'feedback.given':
      return {
        ...{ id, trace: entry.trace, name: 'operator_rating', value: entry.rating === 'good' },
        ...said(entry),
      };
    case 'approval.decided':
      if (entry.trace === undefined) return undefined;
      return {
        ...{ id, trace: entry.trace, name: 'approval' },
        value: entry.decision === 'approve' ? 'approved' : 'denied',
        ...said(entry),
      };
    default:
      return undefined;
  }
}

function said({ by, reason }: Extract<LedgerEntry, { kind: 'feedback.given' | 'approval.decided' }>) {
  return { person: by.userId, ...(reason !== undefined && { reason }) };
}

/** Whether an assessment comes after another one in the ledger. */
export function isLaterWord(id: string, than: string): boolean {
  return id.localeCompare(than, 'en', { numeric: true }) > 0;
}
