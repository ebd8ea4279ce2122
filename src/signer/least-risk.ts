import { type Action, oneWorse, type Risk } from '../fleet/action.ts';
import type { Question } from '../fleet/approval.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { defaultOf } from '../fleet/render-action.ts';
import type { Task } from '../fleet/request.ts';
import { parseSelector } from '../fleet/selector.ts';

/**
 * The least risk that a question can have: one worse than its action's, unless every parameter is known not to come
 * out of text that a machine or a model wrote. A question that names no taints is not believed: a parameter is a
 * person's who asked for the action, or it stands so in a suggestion that the fleet file makes after the task, or it is
 * the default.
 */
export function leastRisk(
  fleet: Fleet,
  machine: Machine,
  task: Task,
  question: Question,
  action: Action,
): Risk {
  const { subject, proposedBy, taints } = question;
  if (subject.kind !== 'action' || proposedBy === 'person') return action.risk;
  const suggested = fleet.suggestions.filter(
    ({ check, action: name, machines = 'all' }) =>
      task.kind === 'check' &&
      task.check === check &&
      name === subject.action &&
      parseSelector(machines)(machine),
  );
  const isKnown = ([name, value]: readonly [string, string]): boolean => {
    const param = action.params[name];
    if (param !== undefined && defaultOf(param) === value) return true;
    return proposedBy === 'rule' && suggested.some(({ params }) => params[name] === value);
  };
  const isClean = taints.length === 0 && Object.entries(subject.params).every(isKnown);
  return isClean ? action.risk : oneWorse(action.risk);
}
