import { runIdOfApproval } from '../approval.ts';
import { runIdOfHandOver } from '../hand-over.ts';
import type { LedgerEntry } from '../ledger-entry.ts';
import type { Fact } from './fact.ts';

/** What the rows of an audit are about. `refusal` and after it: single facts. */
const subjectKinds = [
  ...(['run', 'campaign', 'halt', 'silence', 'incident'] as const),
  ...(['refusal', 'machine', 'schedule', 'policy', 'budget'] as const),
];
export type SubjectKind = (typeof subjectKinds)[number];

/** Facts about the same subject make one row. */
export interface Subject {
  readonly kind: SubjectKind;
  /** The record's id; of a single fact its position in the ledger. */
  readonly id: string;
}

/** A fact, as far as it concerns the subject. */
export interface Part {
  readonly subject: Subject;
  readonly fact: Fact;
}

/** What a fact is about. Every kind of fact has its place here: without one this does not compile. */
export function partsOf(fact: Fact): readonly Part[] {
  const { entry, position } = fact;
  const about = (kind: SubjectKind, id: string): readonly Part[] => [{ subject: { kind, id }, fact }];
  switch (entry.kind) {
    case 'request.accepted':
      return acceptedParts(position, entry);
    case 'request.denied':
    case 'request.limited':
      return about('refusal', position);
    case 'campaign.stopped':
    case 'campaign.continued':
    case 'campaign.ended':
      return about('campaign', entry.campaign);
    case 'run.cancelled':
    case 'activation.began':
    case 'activation.ended':
    case 'approval.asked':
    case 'action.began':
    case 'action.ended':
    case 'run.done':
    case 'feedback.given':
      return about('run', entry.run);
    case 'approval.decided':
    case 'approval.passed-on':
    case 'approval.settled':
    case 'capsule.signed':
    case 'capsule.refused':
      return about('run', runIdOfApproval(entry.approval));
    case 'hand-over.called':
    case 'hand-over.missed':
    case 'hand-over.taken':
    case 'hand-over.ended':
      return about('run', runIdOfHandOver(entry.handOver));
    case 'halt.began':
    case 'halt.resume-asked':
    case 'halt.released':
      return about('halt', entry.halt);
    case 'silence.began':
    case 'silence.ended':
      return about('silence', entry.silence);
    case 'incident.opened':
    case 'incident.closed':
      return about('incident', entry.incident);
    case 'quarantine.changed':
    case 'reconciler.found':
      return about('machine', position);
    case 'schedule.changed':
      return about('schedule', position);
    case 'policy.changed':
      return about('policy', position);
    case 'budget.exceeded':
      return about('budget', position);
  }
}

/** Each run gets its own part; the campaign, where there is one, the whole. */
function acceptedParts(
  position: string,
  entry: Extract<LedgerEntry, { kind: 'request.accepted' }>,
): readonly Part[] {
  const { campaign, runs } = entry;
  const ofRuns = runs.map((run): Part => {
    const own = { position, entry: { ...entry, runs: [run] } };
    return { subject: { kind: 'run', id: run.run }, fact: own };
  });
  if (campaign === undefined) return ofRuns;
  return [{ subject: { kind: 'campaign', id: campaign }, fact: { position, entry } }, ...ofRuns];
}
