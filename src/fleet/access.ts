import type { AccessRule, Fleet, TwoPeopleVerb, Verb } from './fleet.ts';
import type { Machine } from './machine.ts';
import { parseSelector } from './selector.ts';

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
  readonly rule?: AccessRule;
}

/** Whether the person may do this with this machine. What no row of the access table allows is denied. */
export function decide(fleet: Fleet, person: Asker, verb: Verb, machine: Machine): Decision {
  return decider(fleet, person, verb)(machine);
}

/** The same for many machines: what depends on the person and the verb alone is worked out once. */
export function decider(fleet: Fleet, person: Asker, verb: Verb): (machine: Machine) => Decision {
  const deny = (why: string) => (machine: Machine) => ({
    allowed: false,
    reason: `You may not ${verb} ${machine.name}: ${why}`,
  });
  if (person.excluded) {
    return deny(
      'guests, bots, deactivated accounts and people from other workspaces have no access to the fleet. Ask a full member of this workspace who has access.',
    );
  }
  const denied = deny(
    `no row of the fleet's access table gives that to you (${person.userId}) or to a user group of yours. Ask whoever maintains the fleet file for it.`,
  );
  const granting = fleet.access
    .filter((rule) => rule.verbs.includes(verb) && namesPerson(rule, person))
    .map((rule) => ({ rule, matches: parseSelector(rule.machines) }));
  return (machine) => {
    const rule = granting.find(({ matches }) => matches(machine))?.rule;
    if (rule === undefined) return denied(machine);
    return {
      allowed: true,
      reason: `You may ${verb} ${machine.name}: line ${rule.line} of the fleet file allows it.`,
      rule,
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
export function groupsThatMatter(fleet: Fleet, verb: Verb, machines: readonly Machine[]): readonly string[] {
  const rows = fleet.access.filter(
    (rule) =>
      rule.groups.length > 0 && rule.verbs.includes(verb) && machines.some(parseSelector(rule.machines)),
  );
  return [...new Set(rows.flatMap((rule) => rule.groups))];
}

function namesPerson(rule: AccessRule, person: Asker): boolean {
  return rule.people.includes(person.userId) || rule.groups.some((group) => person.groupIds.includes(group));
}
