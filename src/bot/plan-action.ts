import type { Risk } from '../fleet/action.ts';
import type { ActionSubject, Question } from '../fleet/approval.ts';
import { InputError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { questionForAct } from '../fleet/question-for-act.ts';
import type { Request, Task } from '../fleet/request.ts';

export type ActTask = Extract<Task, { kind: 'act' }>;

/** How much harm the task may do; undefined for one that changes nothing, and for an action that is not known. */
export function riskOf(task: Task, { actions }: Fleet): Risk | undefined {
  return task.kind === 'act' ? actions.get(task.action)?.risk : undefined;
}

/** A question about an action. */
export interface Plan extends Question {
  readonly subject: ActionSubject;
}

/**
 * What people would be asked if the action were asked for now.
 * @throws InputError that says what to type instead
 */
export function planAction(
  task: ActTask,
  machine: Machine,
  { fleet, requester, origin, now }: Pick<Request, 'requester' | 'origin'> & { fleet: Fleet; now: number },
): Plan {
  const request: Request = {
    ...{ eventId: planned, machine: machine.name, task, requester, origin, acceptedAt: now },
  };
  const question = questionForAct(fleet, machine, { id: planned, request }, now);
  if ('problem' in question) throw new InputError(question.problem);
  if (question.subject.kind !== 'action') throw new RangeError('not a question about an action');
  return { ...question, subject: question.subject };
}

/** In the place of ids that a run would have. */
const planned = 'r-000000000000';
