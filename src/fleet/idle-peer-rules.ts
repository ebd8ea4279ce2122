import { checkOf } from './checks/index.ts';
import type { LocatedProblem } from './describe-issue.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import type { PeerRule } from './peer-rules.ts';
import { labelOf, parseSelector } from './selector.ts';

/** Rules for peers by which, as the fleet is, nobody would ever be asked. */
export function idlePeerRules({ machines, peers }: Fleet): LocatedProblem[] {
  return peers.rules.flatMap((rule, index) => {
    const why = idleBecause(rule, [...machines.values()]);
    if (why === undefined) return [];
    const cure = 'Change whom it asks, give machines the check or the label, or remove the rule';
    return [{ path: ['peers', 'rules', index], problem: `nobody is ever asked: ${why}`, cure }];
  });
}

function idleBecause(
  { check, machines, same, among }: PeerRule,
  all: readonly Machine[],
): string | undefined {
  const able = all.filter((machine) => checkOf(machine, check) !== undefined);
  const asking = machines === undefined ? able : able.filter(parseSelector(machines));
  if (asking.length === 0) {
    return machines === undefined
      ? `no machine has the check ${check}`
      : `no machine that "${machines}" matches has the check ${check}`;
  }
  // All machines have the same, where it does not matter what they have.
  const groupOf = (machine: Machine) => (same === undefined ? '' : labelOf(machine, same));
  const asked = among === undefined ? able : able.filter(parseSelector(among));
  const groups = Map.groupBy(asked, groupOf);
  const asksSomebody = asking.some((machine) => {
    const group = groupOf(machine);
    if (group === undefined) return false;
    const others = groups.get(group) ?? [];
    return others.length > (others.includes(machine) ? 1 : 0);
  });
  if (asksSomebody) return undefined;
  const which = among === undefined ? 'no other machine' : `no other machine that "${among}" matches`;
  return same === undefined
    ? `${which} has the check ${check}`
    : `${which} has the check ${check} and the same ${same}`;
}
