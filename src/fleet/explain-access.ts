import { type Asker, decide, dependsOnRisk, namesPerson, reaches } from './access.ts';
import type { Risk } from './action.ts';
import type { AccessRule, Fleet, Verb } from './fleet.ts';
import type { Machine } from './machine.ts';
import { parseSelector } from './selector.ts';
import { verbWords } from './verb-words.ts';

/**
 * Why a person may do this with this machine, or may not: a sentence for each row of the access table, in the order of
 * the file, and the decision as the last one. People and groups stand in it by their Slack ids.
 */
export function explainAccess(
  fleet: Fleet,
  person: Asker,
  verb: Verb,
  machine: Machine,
  risk?: Risk,
): readonly string[] {
  return [...explainRows(fleet, person, verb, machine, risk), verdict(fleet, person, verb, machine, risk)];
}

/** The same without the decision. */
export function explainRows(
  fleet: Fleet,
  person: Asker,
  verb: Verb,
  machine: Machine,
  risk?: Risk,
): readonly string[] {
  const rows = fleet.access.map((rule) => {
    const missing = whatIsMissing(rule, person, verb, machine, risk);
    if (missing.length > 0) return `Line ${rule.line} does not apply: it ${missing.join(', and ')}.`;
    const through = [
      ...rule.people.filter((id) => id === person.userId),
      ...rule.groups.filter((id) => person.groupIds.includes(id)),
    ];
    const upTo = dependsOnRisk(verb) ? `, up to ${rule.upTo}` : '';
    return `Line ${rule.line} applies: it gives ${verb} for ${rule.machines} to ${through.join(', ')}${upTo}.`;
  });
  return rows.length === 0 ? ['There is no access table.'] : rows;
}

/** Why a row does not apply; empty where it does. */
function whatIsMissing(
  rule: AccessRule,
  person: Asker,
  verb: Verb,
  machine: Machine,
  risk: Risk | undefined,
): readonly string[] {
  const { machines, verbs, upTo } = rule;
  return [
    ...(namesPerson(rule, person) ? [] : [`names neither ${person.userId} nor a user group of theirs`]),
    ...(parseSelector(machines)(machine) ? [] : [`is for ${machines}, which ${machine.name} is not`]),
    ...(verbs.includes(verb) ? [] : [`gives only ${verbs.join(', ')}`]),
    ...(risk === undefined || !dependsOnRisk(verb) || reaches(rule, risk)
      ? []
      : [`goes up to ${upTo}, and this is ${risk}`]),
  ];
}

function verdict(fleet: Fleet, person: Asker, verb: Verb, machine: Machine, risk: Risk | undefined): string {
  const { allowed, rule } = decide(fleet, person, verb, machine, risk);
  const what = verbWords(verb, machine.name);
  if (allowed) {
    const own = verb === 'approve' ? ' But nobody approves what they asked for themselves.' : '';
    return `So ${person.userId} may ${what}, by line ${rule?.line}.${own}`;
  }
  if (!person.excluded) return `So ${person.userId} may not ${what}: no row allows it.`;
  return `But ${person.userId} may not ${what}: guests, bots, deactivated accounts and people from other workspaces have no access to the fleet.`;
}
