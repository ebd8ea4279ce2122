import { givesVerb, reaches } from './access.ts';
import { oneWorse, type Risk } from './action.ts';
import type { LocatedProblem } from './describe-issue.ts';
import type { AccessRule, Fleet, Suggestion } from './fleet.ts';
import type { Machine } from './machine.ts';
import { quorumOf } from './quorum.ts';
import type { Path } from './read-yaml.ts';
import { parseSelector } from './selector.ts';
import { namesIn } from './template.ts';

/** A fleet, and where in its file the machine's action of this index stands. */
export interface LocatedFleet {
  readonly fleet: Fleet;
  readonly pathOf: (machine: Machine, action: number) => Path;
}

/** So many machines are named where several have the same problem. */
const namedMachines = 3;

/**
 * Actions that machines are authorised for, and suggestions, that nobody could ever approve. Only what is certain by
 * the file alone: who is in a user group, Slack says. What has a problem by itself is not told again of a suggestion.
 */
export function neverApproved({ fleet, pathOf }: LocatedFleet): LocatedProblem[] {
  const lackFor = lacksIn(fleet);
  const found = new Map<string, Omission>();
  const note = (path: Path, what: string, risk: Risk, machine: Machine): void => {
    const lack = lackFor(machine, risk);
    if (lack === undefined) return;
    const key = JSON.stringify([path, lack]);
    const omission = found.get(key) ?? { path, what, lack, machines: [] };
    omission.machines.push(machine.name);
    found.set(key, omission);
  };
  for (const machine of fleet.machines.values()) {
    for (const [index, name] of machine.actions.entries()) {
      const risk = fleet.actions.get(name)?.risk;
      if (risk !== undefined) note(pathOf(machine, index), `"${name}"`, risk, machine);
    }
  }
  const unauthorised = fleet.suggestions.flatMap((rule, index) => {
    const path = ['suggestions', index, 'action'];
    const machines = authorisedOf(fleet, rule);
    const risk = fleet.actions.get(rule.action)?.risk;
    if (machines.length === 0) return [{ path, ...nowhere(rule) }];
    const isTainted = Object.values(rule.params).some((template) => namesIn(template).length > 0);
    if (risk === undefined || !isTainted) return [];
    for (const machine of machines) {
      if (lackFor(machine, risk) !== undefined) continue;
      note(path, `"${rule.action}" with {subject}`, oneWorse(risk), machine);
    }
    return [];
  });
  return [...[...found.values()].map(describe), ...unauthorised];
}

/** Why nobody could approve, and what would help. */
interface Lack {
  readonly risk: Risk;
  readonly why: string;
  readonly cure: string;
}

interface Omission {
  readonly path: Path;
  /** What could not be approved, in words. */
  readonly what: string;
  readonly lack: Lack;
  /** Where, by name. */
  readonly machines: string[];
}

/** What a machine lacks for anything of a risk to be approved; undefined where it may lack nothing. */
function lacksIn(fleet: Fleet): (machine: Machine, risk: Risk) => Lack | undefined {
  const approving = fleet.access
    .filter((rule) => givesVerb(rule, 'approve'))
    .map((rule) => ({ rule, matches: parseSelector(rule.machines) }));
  const known = new Map<Machine, readonly AccessRule[]>();
  return (machine, risk) => {
    const rows =
      known.get(machine) ?? approving.flatMap(({ rule, matches }) => (matches(machine) ? rule : []));
    known.set(machine, rows);
    return lackOf(
      fleet,
      rows.filter((rule) => reaches(rule, risk)),
      risk,
    );
  };
}

function lackOf(fleet: Fleet, rows: readonly AccessRule[], risk: Risk): Lack | undefined {
  if (rows.length === 0) {
    const why = `no access row that matches gives approve up to ${risk}`;
    return { risk, why, cure: `Add such a row, with approve in its verbs and "upTo: ${risk}"` };
  }
  const { approvals, differentGroups } = quorumOf(fleet, risk);
  const groups = new Set(rows.flatMap((rule) => rule.groups)).size;
  const people = new Set(rows.flatMap((rule) => rule.people)).size;
  if (differentGroups && groups < approvals) {
    const why = `it takes ${approvals} people of different user groups, and the access rows that match name ${counted(groups, 'user group', 'user groups')}`;
    const cure = `Name more user groups in rows with approve and "upTo: ${risk}", or take ${risk} out of approvals.differentGroups`;
    return { risk, why, cure };
  }
  if (groups > 0 || people >= approvals) return undefined;
  const why = `it takes ${approvals} people, and the access rows that match name ${counted(people, 'person', 'people')}`;
  const cure = `Name more people, or a user group, in rows with approve and "upTo: ${risk}", or lower approvals.quorum.${risk}`;
  return { risk, why, cure };
}

/** The machines on which a suggestion can propose its action. */
function authorisedOf(fleet: Fleet, { machines, action }: Suggestion): readonly Machine[] {
  const matches = machines === undefined ? () => true : parseSelector(machines);
  return [...fleet.machines.values()].filter(
    (machine) => machine.actions.includes(action) && matches(machine),
  );
}

function nowhere({ action, machines }: Suggestion): Omit<LocatedProblem, 'path'> {
  const which = machines === undefined ? 'no machine' : `no machine that "${machines}" matches`;
  const problem = `"${action}" is never proposed: ${which} is authorised for it`;
  return { problem, cure: `Name ${action} under "actions" of a machine, or remove the suggestion` };
}

function describe({ path, what, lack: { risk, why, cure }, machines }: Omission): LocatedProblem {
  const more = machines.length - namedMachines;
  const names = [...machines.slice(0, namedMachines), ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return { path, problem: `nobody could ever approve ${what} (${risk}) on ${names}: ${why}`, cure };
}

function counted(count: number, one: string, several: string): string {
  if (count === 0) return `no ${one}`;
  return count === 1 ? `only one ${one}` : `only ${count} ${several}`;
}
