import type { LocatedProblem } from './describe-issue.ts';
import type { Fleet } from './fleet.ts';
import { parseSelector, selectAll } from './selector.ts';

/** Budgets that never run out: only what has a price is counted, and what machines of theirs used. */
export function doubtfulBudgets({ budgets, prices, machines }: Fleet): LocatedProblem[] {
  if (budgets.length === 0) return [];
  const all = [...machines.values()];
  const empty = budgets.flatMap(({ machines: selector = selectAll }, index) =>
    selector === selectAll || all.some(parseSelector(selector))
      ? []
      : [
          {
            path: ['budgets', index, 'machines'],
            problem: `it never runs out: no machine matches "${selector}"`,
            cure: 'Correct the selector, or remove the budget',
          },
        ],
  );
  if (Object.keys(prices).length > 0) return empty;
  const unpriced = {
    path: ['budgets'],
    problem: 'they never run out: no model has a price, so nothing that agents cost is known',
    cure: 'Add the models that your agents use to "prices"',
  };
  return [unpriced, ...empty];
}
