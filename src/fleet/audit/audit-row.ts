import type { LedgerEntry } from '../ledger-entry.ts';
import { describeTask } from '../request.ts';
import { type Deed, hasBeginning } from './deeds.ts';
import { type Fact, fleetbot, peopleOf, whoDid } from './fact.ts';
import { machineOf, machinesOfCampaign, selectorOf } from './may-see.ts';
import { resultOf } from './result-of.ts';
import { type Step, stepOf } from './step-of.ts';
import type { SubjectKind } from './subjects.ts';

/** What somebody or something did, and how it ended. Plain text: nothing is escaped. */
export interface AuditSummary {
  readonly kind: SubjectKind;
  /** The record's id; of a single fact its position in the ledger. */
  readonly id: string;
  /** Of its first and its last fact that is known, in ms since the epoch. */
  readonly at: number;
  readonly until: number;
  /** Who asked for it, in the words of `requesterWord`, or `fleetbot`; undefined where that fact was not found. */
  readonly who: string | undefined;
  /** What it is, as somebody would type it; undefined where that fact was not found. */
  readonly what: string | undefined;
  readonly machines: readonly string[];
  /** As it was typed, or words in its place. */
  readonly selector: string | undefined;
  /** One word or two, the same for things that ended alike. */
  readonly result: string;
  /** What else there is to say of its end. */
  readonly detail: string;
  readonly votes: readonly AuditVote[];
  readonly campaign: string | undefined;
  /** 32 hex digits. */
  readonly trace: string | undefined;
  /** Absent where it is not known, or no agent was started. */
  readonly costUsd: number | undefined;
  /** Slack ids of everybody who took part. */
  readonly people: readonly string[];
}

/** The same with every fact of it. */
export interface AuditRow extends AuditSummary {
  readonly history: readonly Step[];
}

/** A person's click that counted, on what they were asked to approve. */
export interface AuditVote {
  readonly at: number;
  readonly userId: string;
  readonly decision: 'approve' | 'deny';
  readonly groups: readonly string[];
  readonly reason: string | undefined;
}

/** A deed as a row. */
export function auditRow(deed: Deed): AuditRow {
  return { ...auditSummary(deed), history: deed.facts.map(stepOf) };
}

/** What a line about it needs. */
export function auditSummary(deed: Deed): AuditSummary {
  const { subject, facts } = deed;
  const accepted = findEntry(facts, 'request.accepted');
  const isCampaign = subject.kind === 'campaign';
  const machine = isCampaign ? undefined : machineOf(facts);
  const times = facts.map(({ entry }) => entry.at);
  return {
    kind: subject.kind,
    id: subject.id,
    at: Math.min(...times),
    until: Math.max(...times),
    who: hasBeginning(deed) ? whoBegan(facts) : undefined,
    what: whatOf(deed),
    machines: isCampaign ? machinesOfCampaign(facts) : machine === undefined ? [] : [machine],
    selector: facts.map(({ entry }) => selectorOf(entry)).find((selector) => selector !== undefined),
    ...resultOf(deed),
    votes: facts.flatMap(({ entry }) => (entry.kind === 'approval.decided' ? [voteOf(entry)] : [])),
    campaign: isCampaign ? subject.id : accepted?.campaign,
    trace: isCampaign ? undefined : traceOf(facts),
    // Before what was read there may have been more activations.
    costUsd: hasBeginning(deed) ? costOf(facts) : undefined,
    people: [...new Set(facts.flatMap(({ entry }) => peopleOf(entry)))],
  };
}

type Kind = LedgerEntry['kind'];

/** The first fact of a kind. */
function findEntry<K extends Kind>(
  facts: readonly Fact[],
  kind: K,
): Extract<LedgerEntry, { kind: K }> | undefined {
  const isOne = (entry: LedgerEntry): entry is Extract<LedgerEntry, { kind: K }> => entry.kind === kind;
  return facts.map(({ entry }) => entry).find(isOne);
}

function whoBegan(facts: readonly Fact[]): string {
  const [first] = facts;
  return first === undefined ? fleetbot : whoDid(first.entry);
}

function whatOf(deed: Deed): string | undefined {
  const { facts } = deed;
  const [first] = facts;
  const accepted = findEntry(facts, 'request.accepted');
  if (accepted !== undefined) return describeTask(accepted.task);
  return first !== undefined && hasBeginning(deed) ? stepOf(first).what : undefined;
}

function voteOf(entry: Extract<LedgerEntry, { kind: 'approval.decided' }>): AuditVote {
  const { at, by, decision, groups, reason } = entry;
  return { at, userId: by.userId, decision, groups, reason };
}

function traceOf(facts: readonly Fact[]): string | undefined {
  for (const { entry } of facts) {
    if (entry.kind === 'request.accepted') {
      const trace = entry.runs[0]?.trace;
      if (trace !== undefined) return trace;
    } else if ('trace' in entry && entry.trace !== undefined) return entry.trace;
  }
  return undefined;
}

/** What the run's activations cost together; not known where one is not. */
function costOf(facts: readonly Fact[]): number | undefined {
  const ended = facts.flatMap(({ entry }) => (entry.kind === 'activation.ended' ? [entry] : []));
  if (ended.length === 0) return findEntry(facts, 'run.done')?.costUsd;
  let sum = 0;
  for (const { costUsd } of ended) {
    if (costUsd === undefined) return undefined;
    sum += costUsd;
  }
  return sum;
}
