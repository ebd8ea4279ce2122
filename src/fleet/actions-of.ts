import type { Catalogue } from './action.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';

/** The actions that the machine is authorised for, in the order in which it names them. */
export function actionsOf({ actions }: Pick<Fleet, 'actions'>, machine: Pick<Machine, 'actions'>): Catalogue {
  return new Map(
    machine.actions.flatMap((name) => {
      const action = actions.get(name);
      return action === undefined ? [] : [[name, action]];
    }),
  );
}
