import { InputError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { selectMachines } from '../fleet/selector.ts';
import { suggest } from '../fleet/suggest.ts';

/**
 * The machine of that name.
 * @throws InputError when there is none
 */
export function namedMachine(fleet: Fleet, name: string): Machine {
  const machine = fleet.machines.get(name);
  if (machine === undefined) throw new InputError(noMachine(fleet, name));
  return machine;
}

/**
 * The machines that a selector matches.
 * @throws InputError when there is none
 */
export function chosenMachines(fleet: Fleet, selector: string): readonly Machine[] {
  const machines = selectMachines(fleet, selector);
  if (machines.length > 0) return machines;
  throw new InputError(noMachine(fleet, selector));
}

/** Says that there is no such machine, and which one may be meant. */
export function noMachine(fleet: Fleet, selector: string): string {
  const meant = suggest(selector, fleet.machines.keys());
  return `No machine matches "${selector}".${meant === undefined ? '' : ` Did you mean ${meant}?`}`;
}
