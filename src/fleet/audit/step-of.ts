import { formatMoment } from '../format.ts';
import type { LedgerEntry } from '../ledger-entry.ts';
import { formatUsd } from '../money.ts';
import { describeTask } from '../request.ts';
import { type Fact, whoDid } from './fact.ts';
import { troublesOf } from './result-of.ts';

/** One fact in words, for the history of a row. Plain text: foreign words in it are not escaped. */
export interface Step {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** In the words of `requesterWord`, or `fleetbot`, or `signer`. */
  readonly who: string;
  readonly what: string;
  /** In the person's own words, where they gave a reason. */
  readonly why?: string;
}

/** Every kind of fact has its words here: without them this does not compile. */
export function stepOf({ entry }: Fact): Step {
  const { at } = entry;
  const why = 'reason' in entry ? entry.reason : undefined;
  const what = wordsOf(entry);
  return { at, who: whoDid(entry), what, ...(why !== undefined && { why }) };
}

function wordsOf(entry: LedgerEntry): string {
  switch (entry.kind) {
    case 'request.accepted':
      return `asked for: ${describeTask(entry.task)}`;
    case 'request.denied':
      return `was denied ${entry.what}: ${entry.target}`;
    case 'request.limited':
      return `was over a limit with ${entry.what}: ${entry.target}`;
    case 'campaign.stopped':
      return `stopped the campaign after wave ${entry.wave + 1}: ${entry.why}`;
    case 'campaign.continued':
      return `continued the campaign after wave ${entry.wave + 1}`;
    case 'campaign.ended':
      return 'ended the campaign early';
    case 'run.cancelled':
      return entry.halt === undefined ? 'cancelled it' : `cancelled it with halt ${entry.halt}`;
    case 'activation.began':
      return `started the agent (activation ${entry.activation})`;
    case 'activation.ended':
      return `stopped the agent (activation ${entry.activation}): ${usageWords(entry)}`;
    case 'run.done':
      return `ended it: ${[entry.verdict, ...troublesOf(entry)].join(', ')}`;
    case 'approval.asked':
      return `asked people to approve: ${entry.what}${entry.risk === undefined ? '' : ` (${entry.risk})`}, proposed by ${proposers[entry.proposedBy]}`;
    case 'approval.decided': {
      const as = entry.groups.length === 0 ? '' : ` as ${entry.groups.join(', ')}`;
      return `${entry.decision === 'approve' ? 'approved' : 'denied'} it${as}`;
    }
    case 'approval.passed-on':
      return `got no answer, and asked ${entry.to.join(', ')}`;
    case 'approval.settled':
      return `the question is ${entry.state}`;
    case 'hand-over.called':
      return `called ${entry.target}`;
    case 'hand-over.missed':
      return `could not reach ${entry.target}: ${entry.problem}`;
    case 'hand-over.taken':
      return 'took it over';
    case 'hand-over.ended':
      return handOverWords[entry.outcome];
    case 'capsule.signed':
      return 'signed what was approved';
    case 'capsule.refused':
      return 'refused to sign what was approved';
    case 'action.began':
      return `began ${entry.action}, approved by ${entry.approvedBy.join(', ')}`;
    case 'action.ended':
      return `the action is ${entry.outcome}${entry.effect === undefined ? '' : `, its effect ${entry.effect}`}`;
    case 'halt.began':
      return `halted ${entry.selector}`;
    case 'halt.resume-asked':
      return `asked to resume ${entry.selector}`;
    case 'halt.released':
      return `resumed ${entry.selector}${entry.agreedBy === undefined ? '' : `, agreed by ${entry.agreedBy.userId}`}`;
    case 'silence.began':
      return `silenced ${entry.selector} until ${formatMoment(entry.until)}`;
    case 'silence.ended':
      return entry.by === undefined ? 'the silence is over' : 'ended the silence early';
    case 'quarantine.changed':
      return entry.quarantined ? 'quarantined it' : 'lifted its quarantine';
    case 'reconciler.found':
      return `${entry.finding}: ${entry.detail}`;
    case 'incident.opened':
      return `alerts of ${entry.source}: ${entry.alert}`;
    case 'incident.closed':
      return `the alerts are over: ${entry.runs.length} runs, ${entry.notInvestigated} not looked into`;
    case 'policy.changed':
      return policyWords(entry);
    case 'feedback.given':
      return `said that the answer was ${entry.rating}`;
    case 'budget.exceeded':
      return `budget ${entry.budget} of ${entry.period} is used up: ${formatUsd(entry.spentUsd)} of ${formatUsd(entry.limitUsd)}`;
    case 'schedule.changed': {
      const { name, machines, task, cron, timeZone } = entry.schedule;
      return `${entry.change} schedule ${name}: ${describeTask(task)} on ${machines}, ${cron} ${timeZone}`;
    }
  }
}

const proposers = { person: 'a person', rule: 'a rule', agent: 'the agent' } as const;

const handOverWords = {
  delivered: 'a pager has it',
  nobody: 'nobody took it over',
  silenced: 'nobody else was called: the machine is silenced',
} as const;

function usageWords({ usage, model, costUsd, failure }: Of<'activation.ended'>): string {
  const told = usage && `${usage.inputTokens} tokens in, ${usage.outputTokens} out`;
  const cost = costUsd === undefined ? 'cost not known' : formatUsd(costUsd);
  return [model, told ?? 'tokens not known', cost, failure].filter((part) => part !== undefined).join(', ');
}

function policyWords(entry: Of<'policy.changed'>): string {
  const { digest, before, machines, added, removed, changed } = entry;
  const file = `fleet file ${digest.slice(0, 12)} (${machines} ${machines === 1 ? 'machine' : 'machines'}) in force`;
  if (before === undefined) return `${file} at the start of a process`;
  const count = (names: readonly string[], word: string): readonly string[] =>
    names.length === 0 ? [] : [`${word}: ${names.join(', ')}`];
  const parts = [
    ...[...count(added, 'added'), ...count(removed, 'removed'), ...count(changed, 'changed')],
    ...(entry.accessChanged ? ['access changed'] : []),
    ...(entry.actionsChanged ? ['actions changed'] : []),
    ...(entry.signalsChanged ? ['alerts or schedules changed'] : []),
    ...(entry.costsChanged ? ['prices or budgets changed'] : []),
  ];
  return [file, ...parts].join('; ');
}

type Of<Kind extends LedgerEntry['kind']> = Extract<LedgerEntry, { kind: Kind }>;
