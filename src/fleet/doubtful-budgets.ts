import type { LocatedProblem } from './describe-issue.ts';
import type { Fleet } from './fleet.ts';

/** Budgets that never run out: only what has a price is counted. */
export function doubtfulBudgets({ budgets, prices }: Fleet): LocatedProblem[] {
  if (budgets.length === 0 || Object.keys(prices).length > 0) return [];
  return [
    {
      path: ['budgets'],
      problem: 'they never run out: no model has a price, so nothing that agents cost is known',
      cure: 'Add the models that your agents use to "prices"',
    },
  ];
}
