import { actionsOf } from './actions-of.ts';
import type { Question } from './approval.ts';
import { readEndLines } from './end-lines.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { questionFor } from './question-for.ts';
import { reasonToAct } from './reason-to-act.ts';
import type { Run } from './run.ts';

/** How much of the agent's words a card shows; all of them are in the thread. */
const whyMaxCharacters = 600;

/**
 * What the agent proposed, as long as the machine still has it and what the check found is a reason for it: evidence
 * comes before narrative. Every parameter that it named is a model's word, so the card shows where it comes from, and
 * the risk is one worse.
 */
export function proposeByAgent(fleet: Fleet, machine: Machine, run: Run, now: number): Question | undefined {
  const { proposal, comment = '' } = run.diagnosis ?? {};
  if (proposal === undefined) return undefined;
  const { action, params, source } = proposal;
  const known = actionsOf(fleet, machine).get(action);
  if (known === undefined || !reasonToAct(known, run)) return undefined;
  const taints = Object.entries(params).map(([param, value]) => ({ param, value, source }));
  const { words } = readEndLines(comment);
  const why = words.length > whyMaxCharacters ? `${words.slice(0, whyMaxCharacters)}…` : words;
  const question = questionFor(
    fleet,
    machine,
    run,
    { action, params, taints, proposedBy: 'agent', why: why === '' ? source : why },
    now,
  );
  return 'problem' in question ? undefined : question;
}
