import type { Params } from './action.ts';
import { actionsOf } from './actions-of.ts';
import type { Question, Taint } from './approval.ts';
import { type Finding, severities } from './finding.ts';
import type { Fleet, Suggestion } from './fleet.ts';
import { matchesGlob } from './glob.ts';
import type { Machine } from './machine.ts';
import { questionFor } from './question-for.ts';
import { reasonToAct } from './reason-to-act.ts';
import type { Run } from './run.ts';
import { parseSelector } from './selector.ts';
import { fillTemplate, namesIn } from './template.ts';

/**
 * What the fleet file's rules propose for a check's findings: of the worst finding for which one can be asked, the
 * first one in the file. A rule whose action this machine is not authorised for, whose parameters do not allow what
 * the finding is about, or whose precondition is not met, proposes nothing.
 */
export function proposeByRule(fleet: Fleet, machine: Machine, run: Run, now: number): Question | undefined {
  const { task } = run.request;
  if (task.kind !== 'check') return undefined;
  const rules = fleet.suggestions.filter(
    ({ check, machines }) =>
      check === task.check && (machines === undefined || parseSelector(machines)(machine)),
  );
  const actions = actionsOf(fleet, machine);
  for (const finding of worstFirst(run.findings)) {
    for (const rule of rules) {
      const action = actions.get(rule.action);
      if (action === undefined || !fits(rule, finding) || !reasonToAct(action, run)) continue;
      const { params, taints } = paramsFor(rule, finding);
      const wish = { action: rule.action, params, taints, proposedBy: 'rule', why: finding.text } as const;
      const question = questionFor(fleet, machine, run, wish, now);
      if (!('problem' in question)) return question;
    }
  }
  return undefined;
}

function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity));
}

function fits({ subject = '*', severity }: Suggestion, finding: Finding): boolean {
  return (
    severities.indexOf(finding.severity) >= severities.indexOf(severity) &&
    matchesGlob(finding.subject, subject)
  );
}

/** The rule's parameters. What comes from the finding is text of the machine. */
function paramsFor({ params }: Suggestion, { subject, text }: Finding): { params: Params; taints: Taint[] } {
  const filled: Params = {};
  const taints: Taint[] = [];
  for (const [param, template] of Object.entries(params)) {
    const value = fillTemplate(template, { subject });
    filled[param] = value;
    if (namesIn(template).length > 0) taints.push({ param, value, source: text });
  }
  return { params: filled, taints };
}
