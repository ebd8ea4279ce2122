import type { Question } from './approval.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { type Asking, questionFor } from './question-for.ts';
import type { ParamsProblem } from './render-action.ts';
import { requesterWord } from './requester.ts';

/**
 * The question of a person who asked for an action, or why it cannot be asked, as a sentence for them.
 * @throws RangeError for a task of another kind (a bug)
 */
export function questionForAct(
  fleet: Fleet,
  machine: Machine,
  run: Asking,
  now: number,
): Question | ParamsProblem {
  const { task, requester } = run.request;
  if (task.kind !== 'act') throw new RangeError(`run ${run.id} asks for no action`);
  const why = `${requesterWord(requester)} asked for it.`;
  return questionFor(fleet, machine, run, { ...task, taints: [], proposedBy: 'person', why }, now);
}
