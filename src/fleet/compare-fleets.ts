import { isDeepStrictEqual } from 'node:util';
import type { AccessRule, Fleet } from './fleet.ts';

/** What is different between two fleets: names of machines in the order of their file. */
export interface FleetChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly accessChanged: boolean;
}

/** Compares what the files mean, not how they are written: comments, order and line numbers are no change. */
export function compareFleets(before: Fleet, after: Fleet): FleetChange {
  return {
    added: [...after.machines.keys()].filter((name) => !before.machines.has(name)),
    removed: [...before.machines.keys()].filter((name) => !after.machines.has(name)),
    changed: [...after.machines].flatMap(([name, machine]) => {
      const old = before.machines.get(name);
      return old === undefined || isDeepStrictEqual(old, machine) ? [] : [name];
    }),
    accessChanged: !isDeepStrictEqual(before.access.map(withoutLine), after.access.map(withoutLine)),
  };
}

function withoutLine({ line: _line, ...rule }: AccessRule): Omit<AccessRule, 'line'> {
  return rule;
}
