import { isDeepStrictEqual } from 'node:util';
import type { Fleet } from './fleet.ts';

/** What is different between two fleets: names of machines in the order of their file. */
export interface FleetChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly accessChanged: boolean;
  /** The actions, the rules that propose them, or how people are asked. */
  readonly actionsChanged: boolean;
  /** What begins by itself, or is kept from it: alerts, maintenance, schedules, what supervisors ask one another. */
  readonly signalsChanged: boolean;
  /** What models cost, or what agents may. */
  readonly costsChanged: boolean;
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
    actionsChanged: !isDeepStrictEqual(partsOfActions(before), partsOfActions(after)),
    signalsChanged: !isDeepStrictEqual(partsOfSignals(before), partsOfSignals(after)),
    costsChanged: !isDeepStrictEqual(partsOfCosts(before), partsOfCosts(after)),
  };
}

function partsOfActions({ actions, suggestions, approvals }: Fleet): unknown {
  return { actions, suggestions: suggestions.map(withoutLine), approvals };
}

function partsOfSignals({ alerts, maintenance, schedules, peers }: Fleet): unknown {
  return { alerts, maintenance, schedules, peers };
}

function partsOfCosts({ prices, budgets }: Fleet): unknown {
  return { prices, budgets };
}

function withoutLine<T extends { readonly line: number }>({ line: _line, ...row }: T): Omit<T, 'line'> {
  return row;
}
