import type { Budgets, Spending } from '../../src/bot/ports.ts';
import type { BudgetState } from '../../src/fleet/budget-state.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { OverLimit } from '../../src/fleet/left-out.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import type { SpendingRow } from '../../src/fleet/spending.ts';

/** The bot's `Spending` and `Budgets` in memory. */
export class FakeSpending implements Spending, Budgets {
  readonly spent: SpendingRow[] = [];
  readonly standing: BudgetState[] = [];
  /** Machines for which a budget refuses everything, by name, and why. */
  readonly refused = new Map<string, string>();
  /** Makes every call fail as when Redis is away. */
  away = false;

  reset(): void {
    this.spent.length = 0;
    this.standing.length = 0;
    this.refused.clear();
    this.away = false;
  }

  async rows(days: readonly string[], machine?: string): Promise<readonly SpendingRow[]> {
    this.#reach();
    return this.spent.filter(
      (row) => days.includes(row.time) && (machine === undefined || row.machine === machine),
    );
  }

  async states(): Promise<readonly BudgetState[]> {
    this.#reach();
    return this.standing;
  }

  async over(machines: readonly Machine[]): Promise<readonly OverLimit[]> {
    this.#reach();
    const byReason = Map.groupBy(machines, ({ name }) => this.refused.get(name));
    return [...byReason].flatMap(([why, those]) => (why === undefined ? [] : [{ why, machines: those }]));
  }

  #reach(): void {
    if (this.away) throw new StoreUnavailableError('Redis did not answer.');
  }
}
