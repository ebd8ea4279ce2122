import type { LedgerEntry } from '../../../src/fleet/ledger-entry.ts';
import { accepted, acted, activated, ann, asked, decided, done, type Of, runId, settled } from './facts.ts';

const at = Date.UTC(2026, 10, 23, 10);
const machine = 'web-01';
const digits = runId(1).slice(2);
const counts = { alerts: 1, firing: 1, notifications: 1, unmatched: 0 };
const halt = { at, by: ann, halt: 'h-1', selector: 'web-*' };
const handOver = { at, handOver: `o-${digits}`, machine };
const capsule = { at, approval: `a-${digits}`, machine, fence: 7 };

/** One fact of each kind. A new kind does not compile here before it has one. */
export const everyKind: { readonly [Kind in LedgerEntry['kind']]: Of<Kind> | LedgerEntry } = {
  'request.accepted': accepted(1, machine, at),
  'request.denied': {
    kind: 'request.denied',
    at,
    by: ann,
    what: 'halt',
    target: 'halt web-01',
    reason: 'no',
  },
  'request.limited': { kind: 'request.limited', at, by: ann, what: 'check', target: 'all', reason: 'many' },
  'campaign.stopped': { kind: 'campaign.stopped', at, campaign: 'c-1', wave: 0, why: 'web-01 is not ok' },
  'campaign.continued': { kind: 'campaign.continued', at, by: ann, campaign: 'c-1', wave: 0 },
  'campaign.ended': { kind: 'campaign.ended', at, by: ann, campaign: 'c-1' },
  'run.cancelled': { kind: 'run.cancelled', at, by: 'UANN', run: runId(1) },
  'activation.began': { kind: 'activation.began', at, run: runId(1), machine, fence: 7, activation: 1 },
  'activation.ended': activated(1, machine, at, 0.01),
  'run.done': done(1, machine, at),
  'approval.asked': asked(1, machine, at),
  'approval.decided': decided(1, machine, at),
  'approval.passed-on': { kind: 'approval.passed-on', at, approval: `a-${digits}`, machine, to: ['S1'] },
  'approval.settled': settled(1, machine, at, 'approved'),
  'hand-over.called': { kind: 'hand-over.called', ...handOver, target: 'pager:ops' },
  'hand-over.missed': { kind: 'hand-over.missed', ...handOver, target: 'pager:ops', problem: 'HTTP 500' },
  'hand-over.taken': { kind: 'hand-over.taken', ...handOver, by: ann },
  'hand-over.ended': { kind: 'hand-over.ended', ...handOver, outcome: 'nobody' },
  'capsule.signed': { kind: 'capsule.signed', ...capsule },
  'capsule.refused': { kind: 'capsule.refused', ...capsule, reason: 'another machine' },
  'action.began': {
    ...({ kind: 'action.began', at, run: runId(1), machine, fence: 7, action: 'vacuum-journal' } as const),
    ...{ digest: 'd', approvedBy: ['UBEN'] },
  },
  'action.ended': acted(1, machine, at),
  'halt.began': { kind: 'halt.began', ...halt, reason: 'fire' },
  'halt.resume-asked': { kind: 'halt.resume-asked', ...halt },
  'halt.released': { kind: 'halt.released', ...halt },
  'silence.began': {
    ...({ kind: 'silence.began', at, by: ann, silence: 's-1', selector: 'web-*', until: at } as const),
    reason: 'work',
  },
  'silence.ended': { kind: 'silence.ended', at, silence: 's-1' },
  'quarantine.changed': { kind: 'quarantine.changed', at, machine, quarantined: true, reason: 'it runs' },
  'reconciler.found': { kind: 'reconciler.found', at, machine, finding: 'foreign-lock', detail: 'locked' },
  'incident.opened': {
    ...({ kind: 'incident.opened', at, incident: 'i-1', source: 'am', alert: 'DiskFull' } as const),
    ...{ channel: 'C1', storm: false, counts },
  },
  'incident.closed': { kind: 'incident.closed', at, incident: 'i-1', counts, runs: [], notInvestigated: 0 },
  'policy.changed': {
    ...({ kind: 'policy.changed', at, digest: 'ab', before: 'cd', machines: 1, added: [machine] } as const),
    ...{ removed: [], changed: [], accessChanged: false },
  },
  'feedback.given': {
    ...({ kind: 'feedback.given', at, by: ann, run: runId(1), machine, trace: '1'.repeat(32) } as const),
    rating: 'bad',
  },
  'budget.exceeded': {
    ...({ kind: 'budget.exceeded', at, budget: 'team', period: '2026-11' } as const),
    ...{ limitUsd: 5, spentUsd: 5.1 },
  },
  'schedule.changed': {
    ...({ kind: 'schedule.changed', at, by: ann, change: 'added' } as const),
    schedule: {
      ...{ name: 'nightly', machines: 'web-*', task: { kind: 'check', check: 'disk' }, cron: '0 3 * * *' },
      ...{ timeZone: 'UTC', jitterSeconds: 0, channel: 'C1' },
    },
  },
};
