import type { Action } from '../../fleet/action.ts';
import type { Plan } from '../plan-action.ts';
import { actionLines } from './approval-card.ts';
import { mentions, quorumWords, shortfallLine, subjectWords } from './approval-words.ts';
import { codeSpan, notice, prose } from './safe-text.ts';
import { commandLines } from './shown-command.ts';
import { compose, context, header, type View } from './view.ts';

const ruleChars = 400;

function preconditionLine(action: Action | undefined): readonly string[] {
  const condition = action?.precondition;
  if (condition === undefined) return [];
  const about = condition.subject === undefined ? '' : ` about ${codeSpan(condition.subject, 200)}`;
  return [
    `only while the check ${codeSpan(condition.check, 64)} finds something ${condition.severities.join(' or ')}${about}`,
  ];
}

/**
 * What people would be asked, for the one who thinks about asking. What only one person sees calls nobody.
 * @param refusal why that person may not ask; undefined where they may
 * @param policy whether they may, rule by rule
 */
export function dryRunView(
  plan: Plan,
  told: {
    readonly action: Action | undefined;
    readonly refusal: string | undefined;
    readonly policy: readonly string[];
  },
): View {
  const { action, policy, refusal } = told;
  const title = 'Dry run: nothing was asked for';
  return compose({
    text: title,
    head: [header(title)],
    body: [
      ...(refusal === undefined ? [] : [`:no_entry: ${notice(refusal, ruleChars)}`]),
      `*${subjectWords(plan)}* on *${prose(plan.machine, 64)}* would run exactly this, as root:`,
      ...(commandLines(plan.subject.argv) ?? [
        'a command that is too long to be shown, and so to be approved',
      ]),
      ...preconditionLine(action),
      ...actionLines(plan, plan.subject, action),
      `would be asked: ${mentions(plan.rounds[0]?.mention ?? [])}. ${quorumWords(plan)}`,
      ...shortfallLine(plan),
      '*May you ask for it?*',
      ...policy.map((line) => `• ${notice(line, ruleChars)}`),
    ],
    tail: [context([`digest ${codeSpan(plan.subject.digest, 64)}`])],
    more: (count) => `${count} more lines are left out here`,
  }).view;
}
