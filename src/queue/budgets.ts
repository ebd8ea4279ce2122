import {
  type Budgeted,
  type BudgetState,
  budgetStates,
  isUsedUp,
  refusedWords,
  timesNeeded,
  usedUpFinder,
  usedUpWords,
} from '../fleet/budget-state.ts';
import type { OverLimit } from '../fleet/left-out.ts';
import type { Machine } from '../fleet/machine.ts';
import { toUsd } from '../fleet/money.ts';
import type { Task } from '../fleet/request.ts';
import type { Requester } from '../fleet/requester.ts';
import type { Run } from '../fleet/run.ts';
import { spenderOf, timesOf } from '../fleet/spending.ts';
import type { RedisLedger } from './ledger.ts';
import type { RedisSpending } from './spending.ts';

export interface BudgetsOptions {
  readonly spending: Pick<RedisSpending, 'rows'>;
  readonly ledger: Pick<RedisLedger, 'appendOnce'>;
  /** undefined where there is no fleet file: then there are no budgets. */
  readonly fleet: () => Budgeted | undefined;
  readonly clock: () => number;
  /** How old sums may be. */
  readonly staleMs: number;
}

/** Budgets, as they stood at a moment. */
interface Known {
  readonly at: number;
  readonly fleet: Budgeted;
  readonly states: Promise<readonly BudgetState[]>;
}

/**
 * The budgets of the fleet file, held against what was spent. What was spent in the last `staleMs` may not count yet,
 * nor what agents that are at work will cost. Where the sums cannot be read it rejects, or waits, as they do: nothing
 * is let through unseen.
 */
export class RedisBudgets {
  readonly #options: BudgetsOptions;
  #known: Known | undefined;

  constructor(options: BudgetsOptions) {
    this.#options = options;
  }

  /** How they stand, in the order of the fleet file. */
  async states(): Promise<readonly BudgetState[]> {
    const { fleet: current, clock, staleMs } = this.#options;
    const [fleet, now] = [current(), clock()];
    if (fleet === undefined || fleet.budgets.length === 0) return [];
    const known = this.#known;
    // Also where the clock was set back. What was true before midnight is not true after it.
    const isNew = known !== undefined && Math.abs(now - known.at) < staleMs;
    if (isNew && known.fleet === fleet && timesOf(known.at).day === timesOf(now).day) return known.states;
    const states = this.#read(fleet, now);
    this.#known = { at: now, fleet, states };
    states.catch(() => {
      if (this.#known?.states === states) this.#known = undefined;
    });
    return states;
  }

  /** The machines for which such a request is refused, and why, as sentences for people. */
  async over(
    machines: readonly Machine[],
    { task, requester }: { readonly task: Task; readonly requester: Requester },
  ): Promise<readonly OverLimit[]> {
    const byState = Map.groupBy(machines, usedUpFinder(await this.states(), spenderOf(requester), task));
    return [...byState].flatMap(([state, those]) =>
      state === undefined ? [] : [{ machines: those, why: refusedWords(state) }],
    );
  }

  /** Why no agent may be started for the run, as words for people; undefined where nothing is in its way. */
  async obstacle({ request }: Run, machine: Machine): Promise<string | undefined> {
    const state = usedUpFinder(await this.states(), spenderOf(request.requester))(machine);
    return state && usedUpWords(state);
  }

  async #read(fleet: Budgeted, now: number): Promise<readonly BudgetState[]> {
    const rows = await this.#options.spending.rows(timesNeeded(fleet.budgets, now));
    const states = budgetStates(fleet, rows, now);
    for (const state of states) if (isUsedUp(state)) await this.#note(state, now);
    return states;
  }

  /** Tells the ledger, once for each period; once more where the budget was raised and is used up again. */
  async #note({ budget: { name, usd }, period, spent }: BudgetState, at: number): Promise<void> {
    await this.#options.ledger.appendOnce(`budget:${name}`, `${period} ${usd}`, {
      ...{ kind: 'budget.exceeded', at, budget: name, period },
      ...{ limitUsd: usd, spentUsd: toUsd(spent.microUsd) },
    });
  }
}
