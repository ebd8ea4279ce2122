import { type Action, actionDigest, oneWorse, type Params } from './action.ts';
import { actionsOf } from './actions-of.ts';
import { type ActionSubject, approvalIdOf, type Question, type Taint } from './approval.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { quorumOf } from './quorum.ts';
import { type ParamsProblem, type RenderedAction, renderAction } from './render-action.ts';
import { roundsOf } from './rounds.ts';
import type { Run } from './run.ts';
import { suggest } from './suggest.ts';
import { fillTemplate } from './template.ts';

/** Of a run, what a question depends on beside what it asks. */
export type Asking = Pick<Run, 'id' | 'request'>;

/** What is to be asked. */
export interface Wish extends Pick<Question, 'proposedBy' | 'why'> {
  readonly action: string;
  readonly params: Params;
  /** For the parameters whose values come out of text that a machine or a model wrote. */
  readonly taints: readonly Taint[];
}

/** The question whether people want an action, or why it cannot be asked, as a sentence for people. */
export function questionFor(
  fleet: Fleet,
  machine: Machine,
  run: Asking,
  wish: Wish,
  now: number,
): Question | ParamsProblem {
  const known = actionsOf(fleet, machine);
  const action = known.get(wish.action);
  if (action === undefined) return { problem: unknownAction(wish.action, machine, [...known.keys()]) };
  const rendered = renderAction(action, wish.params);
  if ('problem' in rendered) return { problem: `${wish.action}: ${rendered.problem}` };
  const { argv, params } = rendered;
  const subject: ActionSubject = {
    ...{ kind: 'action', action: wish.action, params, argv },
    digest: actionDigest(machine.name, argv),
    ...undoOf(fleet, machine, action, rendered),
  };
  const { proposedBy, why, taints } = wish;
  const risk = taints.length > 0 ? oneWorse(action.risk) : action.risk;
  return compose(fleet, machine, run, { subject, proposedBy, why, risk, taints: [...taints] }, now);
}

/** What a question is about. */
export type Asked = Pick<Question, 'subject' | 'proposedBy' | 'why' | 'risk' | 'taints'>;

/** A question with everything that follows from fleet file, machine and risk. */
export function compose(
  fleet: Fleet,
  machine: Machine,
  { id, request: { requester } }: Asking,
  asked: Asked,
  now: number,
): Question {
  return {
    ...asked,
    id: approvalIdOf(id),
    run: id,
    machine: machine.name,
    requester,
    quorum: quorumOf(fleet, asked.risk),
    askedAt: now,
    rounds: roundsOf(fleet, machine, asked.risk, requester, now),
  };
}

/** How it is taken back on this machine, or why it cannot be. */
function undoOf(
  fleet: Fleet,
  machine: Machine,
  { undo, noUndo }: Action,
  { params }: RenderedAction,
): Pick<ActionSubject, 'undo' | 'noUndo'> {
  if (undo === undefined) return noUndo === undefined ? {} : { noUndo };
  const action = actionsOf(fleet, machine).get(undo.action);
  if (action === undefined)
    return { noUndo: `${machine.name} is not authorised for ${undo.action}, which would undo it.` };
  const filled = Object.entries(undo.params).map(([name, value]) => [name, fillTemplate(value, params)]);
  const rendered = renderAction(action, Object.fromEntries(filled));
  if ('problem' in rendered) return { noUndo: `${undo.action} cannot undo it: ${rendered.problem}` };
  return { undo: { action: undo.action, params: rendered.params, argv: rendered.argv } };
}

function unknownAction(name: string, machine: Machine, known: readonly string[]): string {
  const problem = `${machine.name} has no action ${name}.`;
  const meant = suggest(name, known);
  if (meant !== undefined) return `${problem} Did you mean ${meant}?`;
  return known.length === 0 ? problem : `${problem} There are: ${known.join(', ')}.`;
}
