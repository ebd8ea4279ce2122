import { LimitError } from '../fleet/errors.ts';
import type { OverLimit } from '../fleet/left-out.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Task } from '../fleet/request.ts';
import type { Asker } from './people.ts';
import type { Services } from './services.ts';

/** Machines, parted by whether a budget is in the way of a task there. */
export interface WithinBudgets {
  readonly affordable: readonly Machine[];
  readonly overBudget: readonly OverLimit[];
}

/**
 * Parts the machines to which a person gives a task.
 * @param note told of every budget that leaves machines out while others are left
 * @throws LimitError where none is left
 * @throws StoreUnavailableError
 */
export async function withinBudgets(
  machines: readonly Machine[],
  task: Task,
  asker: Asker,
  { budgets }: Services,
  note: (error: LimitError) => void,
): Promise<WithinBudgets> {
  const overBudget = await budgets.over(machines, { task, requester: asker.requester });
  const over = new Set(overBudget.flatMap((each) => each.machines));
  const affordable = machines.filter((machine) => !over.has(machine));
  if (affordable.length === 0 && overBudget.length > 0) throw limitError(overBudget);
  for (const each of overBudget) note(limitError([each]));
  return { affordable, overBudget };
}

function limitError(overBudget: readonly OverLimit[]): LimitError {
  const names = overBudget.flatMap(({ machines }) => machines.map(({ name }) => name));
  return new LimitError(overBudget.map(({ why }) => why).join(' '), 'budget', names);
}
