import type { Action } from './action.ts';
import { meets } from './effect.ts';
import type { Run } from './run.ts';

/**
 * Whether what a run found is a reason for the action, as far as it tells: a precondition about another check is
 * measured when the action's turn comes.
 */
export function reasonToAct({ precondition }: Action, { request: { task }, findings }: Run): boolean {
  const isAboutThis = task.kind === 'check' && task.check === precondition?.check;
  return !isAboutThis || meets(precondition, findings);
}
