import { type Risk, risks } from './action.ts';
import type { AccessRule, Fleet, TwoPeopleVerb, Verb } from './fleet.ts';
import type { Machine } from './machine.ts';
import { parseSelector } from './selector.ts';
import { verbWords } from './verb-words.ts';

/** Who asks, by Slack's immutable ids. `excluded`: a guest, a stranger, a bot, or a deactivated account. */
export interface Asker {
  readonly userId: string;
  readonly excluded: boolean;
  readonly groupIds: readonly string[];
}

/** The answer of the access table, with a sentence for the person and, when allowed, the row that allows it. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
  /** Of a denial, the sentence without what is denied. */
  readonly why?: string;
  readonly rule?: AccessRule;
  /** Of the person's user groups, those to which a row gives it; none where only rows that name the person do. */
  readonly groups: readonly string[];
}

/**
 * Whether the person may do this with this machine. What no row of the access table allows is denied.
 * @param risk how much harm it may do, for `act` and `approve`; without it any row that gives the verb will do
 */
export function decide(fleet: Fleet, person: Asker, verb: Verb, machine: Machine, risk?: Risk): Decision {
  return decider(fleet, person, verb, risk)(machine);
}

/** The same for many machines: what depends on the person, the verb and the risk alone is worked out once. */
export function decider(
  fleet: Fleet,
  person: Asker,
  verb: Verb,
  risk?: Risk,
): (machine: Machine) => Decision {
  const deny = (why: string) => (machine: Machine) => ({
    allowed: false,
    reason: `You may not ${verbWords(verb, machine.name)}: ${why}`,
    why,
    groups: [],
  });
  if (person.excluded) {
    return deny(
      'guests, bots, deactivated accounts and people from other workspaces have no access to the fleet. Ask a full member of this workspace who has access.',
    );
  }
  const denied = deny(
    `no row of the fleet's access table gives that to you (${person.userId}) or to a user group of yours${forRisk(verb, risk)}. Ask whoever maintains the fleet file for it.`,
  );
  const granting = fleet.access
    .filter((rule) => givesVerb(rule, verb, risk) && namesPerson(rule, person))
    .map((rule) => ({ rule, matches: parseSelector(rule.machines) }));
  return (machine) => {
    const rules = granting.flatMap((row) => (row.matches(machine) ? row.rule : []));
    const [rule] = rules;
    if (rule === undefined) return denied(machine);
    return {
      allowed: true,
      reason: `You may ${verbWords(verb, machine.name)}: line ${rule.line} of the fleet file allows it.`,
      rule,
      groups: person.groupIds.filter((group) => rules.some(({ groups }) => groups.includes(group))),
    };
  };
}

/**
 * Whether a second person must agree: every row that allows it to this person wants one. A row that allows it
 * without that is enough.
 */
export function needsSecondPerson(
  fleet: Fleet,
  person: Asker,
  verb: TwoPeopleVerb,
  machine: Machine,
): boolean {
  const granting = fleet.access.filter(
    (rule) => rule.verbs.includes(verb) && namesPerson(rule, person) && parseSelector(rule.machines)(machine),
  );
  return granting.every((rule) => rule.twoPeople.includes(verb));
}

/** The user groups whose members may do this with one of the machines: only about those Slack has to be asked. */
export function groupsThatMatter(
  fleet: Fleet,
  verb: Verb,
  machines: readonly Machine[],
  risk?: Risk,
): readonly string[] {
  const rows = fleet.access.filter(
    (rule) =>
      rule.groups.length > 0 && givesVerb(rule, verb, risk) && machines.some(parseSelector(rule.machines)),
  );
  return [...new Set(rows.flatMap((rule) => rule.groups))];
}

/** Whether a row is about the verb, whomever it names. Only `act` and `approve` depend on the risk. */
export function givesVerb(rule: AccessRule, verb: Verb, risk?: Risk): boolean {
  return rule.verbs.includes(verb) && (!dependsOnRisk(verb) || risk === undefined || reaches(rule, risk));
}

/** Whether a row goes up to this risk. */
export function reaches({ upTo }: AccessRule, risk: Risk): boolean {
  return risks.indexOf(upTo) >= risks.indexOf(risk);
}

export function dependsOnRisk(verb: Verb): boolean {
  return verb === 'act' || verb === 'approve';
}

function forRisk(verb: Verb, risk: Risk | undefined): string {
  return risk === undefined || !dependsOnRisk(verb) ? '' : ` for ${risk} actions`;
}

/** Whether a row names the person, or a user group of theirs. */
export function namesPerson(rule: AccessRule, person: Asker): boolean {
  return rule.people.includes(person.userId) || rule.groups.some((group) => person.groupIds.includes(group));
}
