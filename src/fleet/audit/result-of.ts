import type { LedgerEntry } from '../ledger-entry.ts';
import type { Withheld } from '../run.ts';
import type { Deed } from './deeds.ts';

/** How a deed ended, as far as its facts tell: never what is only likely. */
export interface Result {
  /** One word or two, the same for things that ended alike. */
  readonly result: string;
  /** What else there is to say of its end; '' where there is nothing. */
  readonly detail: string;
}

/** Where the end of a run was not found: it goes on, or ended after what was read. */
const notOver = 'not over';

export function resultOf({ subject, facts }: Deed): Result {
  const entries = facts.map(({ entry }) => entry);
  switch (subject.kind) {
    case 'run':
      return resultOfRun(entries);
    case 'campaign':
      return { result: campaignState(entries), detail: '' };
    case 'halt': {
      const released = entries.filter(({ kind }) => kind === 'halt.released').length;
      return { result: released > 0 ? 'resumed' : 'halted', detail: reasonOf(entries) };
    }
    case 'silence': {
      const ended = entries.find((entry) => entry.kind === 'silence.ended');
      const result = ended === undefined ? 'silenced' : ended.by === undefined ? 'over' : 'ended early';
      return { result, detail: reasonOf(entries) };
    }
    case 'incident':
      return {
        result: entries.some(({ kind }) => kind === 'incident.closed') ? 'closed' : 'open',
        detail: '',
      };
    case 'refusal': {
      const isDenied = entries.some(({ kind }) => kind === 'request.denied');
      return { result: isDenied ? 'denied' : 'over a limit', detail: reasonOf(entries) };
    }
    case 'machine':
      return { result: machineState(entries), detail: reasonOf(entries) };
    case 'schedule': {
      const changed = entries.find((entry) => entry.kind === 'schedule.changed');
      return { result: changed?.change ?? '', detail: '' };
    }
    case 'policy':
      return { result: 'in force', detail: '' };
    case 'budget':
      return { result: 'used up', detail: '' };
  }
}

type Of<Kind extends LedgerEntry['kind']> = Extract<LedgerEntry, { kind: Kind }>;

function resultOfRun(entries: readonly LedgerEntry[]): Result {
  let done: Of<'run.done'> | undefined;
  let settled: Of<'approval.settled'> | undefined;
  let asked = false;
  const details: string[] = [];
  /** The last word of each person on the answer. */
  const ratings = new Map<string, string>();
  for (const entry of entries) {
    if (entry.kind === 'run.done') done = entry;
    if (entry.kind === 'approval.settled') settled = entry;
    if (entry.kind === 'approval.asked') asked = true;
    if (entry.kind === 'run.cancelled') details.push(`cancelled by ${entry.by}`);
    if (entry.kind === 'capsule.refused') details.push('the signer refused');
    if (entry.kind === 'action.ended') {
      details.push(`action ${entry.outcome}${entry.effect === undefined ? '' : `, ${entry.effect}`}`);
    }
    if (entry.kind === 'feedback.given') ratings.set(entry.by.userId, entry.rating);
  }
  for (const [userId, rating] of ratings) details.push(`answer ${rating} (${userId})`);
  if (done === undefined) {
    const waits = asked && settled === undefined;
    return { result: waits ? 'waits for people' : notOver, detail: details.join('; ') };
  }
  const result = endOf(done, settled);
  if (settled !== undefined && settled.state !== 'approved' && settled.state !== result) {
    details.push(`question ${settled.state}`);
  }
  return { result, detail: [...details, ...troublesOf(done)].join('; ') };
}

/** Of what was not to be, what people or time decided stands in place of the verdict. */
function endOf({ verdict, withheld }: Of<'run.done'>, settled: Of<'approval.settled'> | undefined): string {
  if (withheld?.moment === 'run') return 'not begun';
  if (verdict !== 'cancelled' || settled === undefined) return verdict;
  return settled.state === 'denied' || settled.state === 'expired' ? settled.state : verdict;
}

const withheldWords: Readonly<Record<Withheld['kind'], string>> = {
  silenced: 'the machine was silenced',
  resolved: 'the alert was over',
  'over-budget': 'a budget was used up',
};

/** What else is worth knowing of how a run ended. */
export function troublesOf({
  inertness,
  failure,
  agentFailure,
  withheld,
}: Of<'run.done'>): readonly string[] {
  return [
    ...(failure === undefined ? [] : [failure]),
    ...(agentFailure === undefined ? [] : [`agent: ${agentFailure}`]),
    ...(withheld === undefined ? [] : [`${withheld.moment} held back: ${withheldWords[withheld.kind]}`]),
    ...(inertness === 'unknown' ? ['INERTNESS UNKNOWN'] : []),
  ];
}

function campaignState(entries: readonly LedgerEntry[]): string {
  let state = 'handed in';
  for (const { kind } of entries) {
    if (kind === 'campaign.ended') return 'ended early';
    if (kind === 'campaign.stopped') state = 'stopped';
    if (kind === 'campaign.continued') state = 'handed in';
  }
  return state;
}

function machineState(entries: readonly LedgerEntry[]): string {
  for (const entry of entries) {
    if (entry.kind === 'quarantine.changed') return entry.quarantined ? 'quarantined' : 'quarantine lifted';
    if (entry.kind === 'reconciler.found') return entry.finding;
  }
  return '';
}

function reasonOf(entries: readonly LedgerEntry[]): string {
  for (const entry of entries) if ('reason' in entry && entry.reason !== undefined) return entry.reason;
  return '';
}
