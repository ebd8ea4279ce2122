import type { LedgerEntry } from '../../../src/fleet/ledger-entry.ts';
import type { PersonRef } from '../../../src/fleet/requester.ts';

/** Facts for tests about audits: a run and everything that a ledger tells of it, in order. */
export const ann = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
export const ben = { kind: 'person', userId: 'UBEN', teamId: 'T1' } as const;

export type Of<Kind extends LedgerEntry['kind']> = Extract<LedgerEntry, { kind: Kind }>;

/** The digits that the ids of a run, its question and its hand-over share. */
const digits = (n: number) => `m1abcdef${String(n).padStart(4, '0')}`;
export const runId = (n: number) => `r-${digits(n)}`;
export const traceOf = (n: number) => String(n).padStart(32, '0');

export function accepted(n: number, machine: string, at: number, more: Partial<Of<'request.accepted'>> = {}) {
  return {
    ...({ kind: 'request.accepted', at, by: ann, eventId: `Ev${n}` } as const),
    task: { kind: 'check' as const, check: 'disk' },
    origin: { channel: 'C1' },
    runs: [{ run: runId(n), machine, trace: traceOf(n) }],
    ...more,
  } satisfies LedgerEntry;
}

export function campaignOf(
  machines: readonly string[],
  at: number,
  more: Partial<Of<'request.accepted'>> = {},
) {
  const runs = machines.map((machine, index) => ({
    run: runId(index + 1),
    machine,
    trace: traceOf(index + 1),
  }));
  return accepted(0, '', at, { campaign: 'c-m1abcdef0000', runs, ...more });
}

export function done(
  n: number,
  machine: string,
  at: number,
  more: Partial<Of<'run.done'>> = {},
): LedgerEntry {
  return { kind: 'run.done', at, run: runId(n), machine, verdict: 'ok', inertness: 'inactive', ...more };
}

export function rated(
  n: number,
  machine: string,
  at: number,
  rating: 'good' | 'bad',
  by: PersonRef = ann,
): LedgerEntry {
  return { kind: 'feedback.given', at, by, run: runId(n), machine, trace: traceOf(n), rating };
}

export function activated(n: number, machine: string, at: number, costUsd?: number): LedgerEntry {
  return {
    ...({ kind: 'activation.ended', at, run: runId(n), machine, activation: 1, model: 'rules-1' } as const),
    ...(costUsd !== undefined && { costUsd }),
  };
}

export function asked(n: number, machine: string, at: number): LedgerEntry {
  return {
    ...({ kind: 'approval.asked', at, approval: `a-${digits(n)}`, run: runId(n), machine } as const),
    ...({
      question: 'digest',
      what: 'vacuum-journal size=200M',
      risk: 'reversible',
      proposedBy: 'rule',
    } as const),
  };
}

export function decided(
  n: number,
  machine: string,
  at: number,
  more: Partial<Of<'approval.decided'>> = {},
): LedgerEntry {
  return {
    ...({ kind: 'approval.decided', at, by: ben, approval: `a-${digits(n)}`, machine } as const),
    ...({ decision: 'approve', groups: ['sre'] } as const),
    ...more,
  };
}

export function settled(
  n: number,
  machine: string,
  at: number,
  state: Of<'approval.settled'>['state'],
): LedgerEntry {
  return { kind: 'approval.settled', at, approval: `a-${digits(n)}`, machine, state };
}

export function acted(n: number, machine: string, at: number): LedgerEntry {
  return { kind: 'action.ended', at, run: runId(n), machine, outcome: 'done', effect: 'confirmed' };
}
