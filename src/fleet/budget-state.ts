import type { Budget } from './budget.ts';
import type { Fleet } from './fleet.ts';
import { formatMoment } from './format.ts';
import type { Machine } from './machine.ts';
import { formatMicroUsd, toMicroUsd } from './money.ts';
import type { Task } from './request.ts';
import { parseSelector, selectAll } from './selector.ts';
import { isAtLeast, type SpendingRow, type Spent, sumOf, timesOf } from './spending.ts';

/** How much of a budget is used in the period in which we are. */
export interface BudgetState {
  readonly budget: Budget;
  /** `2026-11-23` or `2026-11`. UTC. */
  readonly period: string;
  /** When it begins anew, in ms. */
  readonly anewAt: number;
  readonly limitMicroUsd: number;
  readonly spent: Spent;
}

/** What budgets need of a fleet. */
export type Budgeted = Pick<Fleet, 'machines' | 'budgets'>;

/** The days and months of which sums are needed to tell how the budgets stand. */
export function timesNeeded(budgets: readonly Budget[], now: number): readonly string[] {
  return [...new Set(budgets.map(({ per }) => timesOf(now)[per]))];
}

/**
 * How the budgets of a fleet stand.
 * @param rows what was spent in at least the times that `timesNeeded` names
 */
export function budgetStates(
  { budgets, machines }: Budgeted,
  rows: readonly SpendingRow[],
  now: number,
): readonly BudgetState[] {
  return budgets.map((budget) => {
    const period = timesOf(now)[budget.per];
    const onMachine = machineMatcher(budget);
    // There may be thousands of rows and people.
    const people = budget.people && new Set(budget.people);
    const counts = ({ time, machine, spender }: SpendingRow): boolean =>
      time === period && (people?.has(spender) ?? true) && onMachine(machines.get(machine));
    return {
      budget,
      period,
      anewAt: nextPeriodAt(budget, now),
      limitMicroUsd: toMicroUsd(budget.usd),
      spent: sumOf(rows.filter(counts)),
    };
  });
}

/** Whether nothing is left of it. */
export function isUsedUp({ spent, limitMicroUsd }: BudgetState): boolean {
  return spent.microUsd >= limitMicroUsd;
}

/**
 * Which used-up budget is in the way of what this one wants of a machine; of several the one that begins anew last.
 * @param task what a new request asks for; without it, whether an agent may start is the question
 */
export function usedUpFinder(
  states: readonly BudgetState[],
  spender: string,
  task?: Task,
): (machine: Machine) => BudgetState | undefined {
  const lastFirst = states
    .filter((state) => isUsedUp(state) && isOf(state.budget, spender))
    .toSorted((a, b) => b.anewAt - a.anewAt)
    .map((state) => ({ state, matches: machineMatcher(state.budget) }));
  return (machine) => {
    const inTheWay = lastFirst.find(
      ({ state: { budget }, matches }) =>
        matches(machine) && (task === undefined || isRefused(budget, task, machine)),
    );
    return inTheWay?.state;
  };
}

/** Those of which nothing is left that hold for a machine, also where they are about some people alone. */
export function usedUpOn(states: readonly BudgetState[], machine: Machine): readonly BudgetState[] {
  return states.filter((state) => isUsedUp(state) && machineMatcher(state.budget)(machine));
}

/** Whether such a request is refused once the budget is used up: it may want the agent, and cannot go on without. */
function isRefused({ whenSpent = 'stop' }: Budget, task: Task, { agent }: Machine): boolean {
  switch (task.kind) {
    case 'ask':
      return true;
    case 'check':
      return whenSpent === 'stop' && agent.diagnose !== 'never';
    case 'act':
      return false;
  }
}

/** In a sentence without its end: `the budget web is used up: $10.02 of $10.00 on 2026-11-23; it begins anew at …`. */
export function usedUpWords(state: BudgetState): string {
  const { budget, anewAt } = state;
  return `the budget ${budget.name} is used up: ${spentWords(state)}; it begins anew at ${formatMoment(anewAt)}`;
}

/** How much of it is spent: `$10.02 of $10.00 on 2026-11-23`. */
export function spentWords({ budget, period, limitMicroUsd, spent }: BudgetState): string {
  const least = isAtLeast(spent) ? 'at least ' : '';
  const when = `${budget.per === 'day' ? 'on' : 'in'} ${period}`;
  return `${least}${formatMicroUsd(spent.microUsd)} of ${formatMicroUsd(limitMicroUsd)} ${when}`;
}

/** Why a request is refused, what still works, and who can help, as sentences for people. */
export function refusedWords(state: BudgetState): string {
  const { whenSpent = 'stop' } = state.budget;
  const works =
    whenSpent === 'stop'
      ? 'What needs no agent still works: actions, and checks of machines with agent.diagnose: never.'
      : 'Checks still run, without the agent; so do actions.';
  const words = usedUpWords(state);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}. ${works} Whoever maintains the fleet file can raise it there, under budgets.`;
}

/** Whether what this one spends counts for the budget. */
function isOf({ people }: Budget, spender: string): boolean {
  return people === undefined || people.includes(spender);
}

/** A machine that left the fleet file has no labels any more: it counts only where all do. */
function machineMatcher({ machines: selector = selectAll }: Budget): (machine?: Machine) => boolean {
  if (selector === selectAll) return () => true;
  const matches = parseSelector(selector);
  return (machine) => machine !== undefined && matches(machine);
}

function nextPeriodAt({ per }: Budget, now: number): number {
  const at = new Date(now);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  return per === 'day' ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1);
}
