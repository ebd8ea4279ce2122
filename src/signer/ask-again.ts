import { decide } from '../fleet/access.ts';
import { type Action, type Risk, risks } from '../fleet/action.ts';
import { actionsOf } from '../fleet/actions-of.ts';
import type { ActionSubject, Question } from '../fleet/approval.ts';
import { canonicalJson } from '../fleet/canonical-json.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { questionFor } from '../fleet/question-for.ts';
import { renderAction } from '../fleet/render-action.ts';
import type { Request } from '../fleet/request.ts';
import { personBehind } from '../fleet/requester.ts';
import type { Run } from '../fleet/run.ts';
import { leastRisk } from './least-risk.ts';
import type { SigningRefusal } from './signing-rules.ts';

/**
 * What the machine is to run, by this fleet file: it is authorised for the action, the same question would be asked
 * of the same command and its undo, its risk is not less than it should be, and a person who asked for an action asked
 * for this one.
 */
export function askAgain(
  run: Run,
  question: Question,
  fleet: Fleet,
): { readonly machine: Machine; readonly subject: ActionSubject } | SigningRefusal {
  const { subject } = question;
  if (subject.kind !== 'action') return { refused: 'People were asked to escalate, not for an action.' };
  const machine = fleet.machines.get(question.machine);
  const action = machine && actionsOf(fleet, machine).get(subject.action);
  if (machine === undefined || action === undefined) {
    return { refused: `By the signer's fleet file ${subject.action} may not run on ${question.machine}.` };
  }
  const wish = { ...question, action: subject.action, params: subject.params };
  const again = questionFor(fleet, machine, run, wish, question.askedAt);
  if ('problem' in again) return { refused: again.problem };
  if (!isSame(again.subject, subject)) {
    return { refused: `By the signer's fleet file ${subject.action} is something else. Ask again.` };
  }
  const problem = actProblem(run.request, subject, action, machine, fleet);
  if (problem !== undefined) return { refused: problem };
  const least = leastRisk(fleet, machine, run.request.task, question, action);
  if (!isLess(question.risk, least)) return { machine, subject };
  return { refused: `It is ${least}, but people were told that it is ${question.risk}. Ask again.` };
}

/** What is wrong with a question as what a person asked for by name, where one did. */
function actProblem(
  { task, requester }: Request,
  subject: ActionSubject,
  action: Action,
  machine: Machine,
  fleet: Fleet,
): string | undefined {
  if (task.kind !== 'act') return undefined;
  const asked = renderAction(action, task.params);
  if (task.action !== subject.action || 'problem' in asked || !isSame(asked.params, subject.params)) {
    return 'People were asked for another action than the one that was asked for.';
  }
  const asker = personBehind(requester);
  if (asker === undefined) return 'Only a person may ask for an action by name.';
  // Nobody attests their groups here: any group that the fleet file names could be theirs.
  const groupIds = fleet.access.flatMap(({ groups }) => groups);
  const person = { userId: asker.userId, excluded: false, groupIds };
  if (decide(fleet, person, 'act', machine, action.risk).allowed) return undefined;
  return `By the signer's fleet file ${asker.userId} may not ask for ${task.action} on ${machine.name}.`;
}

function isLess(risk: Risk, than: Risk): boolean {
  return risks.indexOf(risk) < risks.indexOf(than);
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
