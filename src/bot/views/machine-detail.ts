import type { Catalogue } from '../../fleet/action.ts';
import type { BudgetState } from '../../fleet/budget-state.ts';
import { formatCount, formatMoment } from '../../fleet/format.ts';
import type { Halt, HaltMember, HaltOutcome } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import { describeParams } from '../../fleet/render-action.ts';
import type { Run } from '../../fleet/run.ts';
import type { Silence } from '../../fleet/silence.ts';
import type { Spent } from '../../fleet/spending.ts';
import type { MachineRecord } from '../ports.ts';
import { costWords } from './cost-words.ts';
import { driftLines } from './drift-lines.ts';
import { expectedLines, spans } from './expected-lines.ts';
import { haltWords } from './halted-line.ts';
import { runLine } from './run-list.ts';
import { codeSpan, prose } from './safe-text.ts';
import { silenceWords } from './silence-words.ts';
import { trendLines } from './trend-lines.ts';
import { compose, section, type View } from './view.ts';

const roleChars = 80;
const detailChars = 300;
const paramChars = 200;
const shownBudgets = 3;

/** When a check is followed by the agent's look; a question always goes to the agent. */
const askedWhen: Readonly<Record<Machine['agent']['diagnose'], string>> = {
  'by-request': 'asked whenever a person asks for a check',
  always: 'asked after every check',
  'on-finding': 'asked when a check finds something',
  never: 'asked only with `/fleet ask`',
};

function quarantineLines(record: MachineRecord): readonly string[] {
  const { quarantine } = record;
  if (quarantine === undefined) return [];
  const since = `since ${formatMoment(quarantine.at)}, after run ${codeSpan(quarantine.runId, 64)}`;
  return [
    `:rotating_light: *QUARANTINED* ${since}: ${prose(quarantine.reason, 400).replace(/\.$/, '')}. Nothing runs here until its agent is measured inactive.`,
  ];
}

/** The halt that holds for a machine, and what is known of the machine since. */
export interface HaltedState {
  readonly halt: Halt;
  readonly member: HaltMember | undefined;
}

const lockWords: Readonly<Record<HaltOutcome, string>> = {
  pending: 'it has not been told yet',
  inactive: 'locked, and its agent measured inactive',
  ending: 'locked; what must not be interrupted is left to end',
  unreachable: 'it cannot be reached, and is locked when it comes back',
  failed: 'it could NOT be locked or stopped',
  unlocked: 'unlocked, but halted again',
};

function haltedLines({ name }: Machine, halted: HaltedState | undefined): readonly string[] {
  if (halted === undefined) return [];
  const { halt, member } = halted;
  const { outcome, detail, at } = member ?? { outcome: 'pending', detail: undefined, at: halt.at };
  const why = detail === undefined ? '' : `: ${prose(detail, detailChars)}`;
  return [
    `:octagonal_sign: *HALTED*: ${haltWords(halt)}. At ${formatMoment(at)}: ${lockWords[outcome]}${why}. ${codeSpan(`/fleet resume ${name}`, 100)} lifts that, for those who may.`,
  ];
}

function actionLines(actions: Catalogue): readonly string[] {
  return [...actions].map(([name, action]) => {
    const params = describeParams(action).map((param) => ` · ${prose(param, paramChars)}`);
    return `• ${codeSpan(name, 64)} ${prose(action.summary, detailChars)} (${action.risk})${params.join('')}`;
  });
}

/** What the machine's agent used in the last so many days. */
export type MachineCosts = readonly { readonly days: number; readonly spent: Spent }[];

function costLine(costs: MachineCosts): readonly string[] {
  const told = costs.filter(({ spent }) => spent.activations > 0);
  if (told.length === 0) return [];
  const parts = told.map(({ days, spent }) => {
    const activations = `${formatCount(spent.activations)} activation${spent.activations === 1 ? '' : 's'}`;
    return `${costWords(spent)} in ${days} days (${activations})`;
  });
  return [`cost of its agent: ${parts.join(', ')}`];
}

/** Not how much was spent: that may have been on machines that the reader may not view. */
function usedUpLine(usedUp: readonly BudgetState[]): readonly string[] {
  if (usedUp.length === 0) return [];
  const told = usedUp.slice(0, shownBudgets).map(({ budget: { name, people, whenSpent }, anewAt }) => {
    const whose =
      people === undefined ? '' : `, for ${people.length === 1 ? 'one person' : `${people.length} people`}`;
    const rest = whenSpent === 'evidence-only' ? ', checks go on without the agent' : '';
    return `the budget ${codeSpan(name, 64)} (until ${formatMoment(anewAt)}${whose}${rest})`;
  });
  const more = usedUp.length > told.length ? ` and ${usedUp.length - told.length} more` : '';
  return [`:moneybag: *used up*: ${told.join(', ')}${more}`];
}

/**
 * One machine: what the fleet file says and expects, what it is doing, and its latest runs.
 *
 * @param options.actions those that it is authorised for
 * @param options.usedUp budgets of which nothing is left
 * @param options.trend its latest runs, newest first, as far back as its trend goes
 */
export function machineDetailView(
  machine: Machine,
  record: MachineRecord,
  runs: readonly Run[],
  now: number,
  {
    actions,
    halted,
    silence,
    usedUp,
    costs,
    trend,
  }: {
    readonly actions: Catalogue;
    readonly halted: HaltedState | undefined;
    readonly silence?: Silence | undefined;
    readonly usedUp: readonly BudgetState[];
    readonly costs: MachineCosts;
    readonly trend: readonly Run[];
  },
): View {
  const { agent, ssh } = machine;
  const doing =
    record.currentRunId === undefined ? 'idle' : `at work on ${codeSpan(record.currentRunId, 64)}`;
  const labels = Object.entries(machine.labels).map(([key, value]) => `${key}=${value}`);
  const lines = [
    `*${prose(machine.name, 64)}* · ${prose(machine.role, roleChars)}`,
    ...haltedLines(machine, halted),
    ...(silence === undefined ? [] : [`:mute: *silenced* ${silenceWords(silence)}`]),
    ...usedUpLine(usedUp),
    ...quarantineLines(record),
    ...driftLines(machine.name, record.drift),
    `now: ${doing}${record.waiting > 0 ? `, ${record.waiting} waiting` : ''}`,
    `address: ${codeSpan(`${ssh.user}@${machine.address}:${ssh.port}`, 300)}`,
    `labels: ${spans(labels)}`,
    `agent: ${codeSpan(agent.id, 64)}, ${askedWhen[agent.diagnose]}`,
    ...costLine(costs),
  ];
  const expected = expectedLines(machine);
  const trends = trendLines(trend);
  return compose({
    text: `${prose(machine.name, 64)}: ${[...(halted ? ['HALTED'] : []), record.quarantine === undefined ? doing : 'QUARANTINED'].join(', ')}`,
    head: lines.map((line) => section(line)),
    body: [
      ...(expected.length > 0 ? ['*Checks, and what they expect*', ...expected] : ['No checks are listed.']),
      ...(actions.size > 0 ? ['*Actions that people can ask for*', ...actionLines(actions)] : []),
      ...(trends.length > 0 ? ['*Trend, oldest first*', ...trends] : []),
      ...(runs.length > 0 ? ['*Latest runs*', ...runs.map((run) => runLine(run, now))] : ['No runs yet.']),
    ],
    tail: [],
    more: (count) => `and ${count} more lines`,
  }).view;
}
