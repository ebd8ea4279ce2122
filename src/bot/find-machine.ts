import { InputError, NotAllowedError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { machineHint } from './machine-hint.ts';
import type { Asker } from './people.ts';

/**
 * The machine of this name, if the person may see it. Suggests only machines that they may see.
 *
 * @throws InputError, NotAllowedError with sentences for the person
 */
export async function findVisibleMachine(name: string, fleet: Fleet, asker: Asker): Promise<Machine> {
  const machine = fleet.machines.get(name);
  if (machine === undefined) {
    throw new InputError(`There is no machine \`${name}\`.${await machineHint(name, 'view', fleet, asker)}`);
  }
  const { denied } = await asker.permission('view', [machine]);
  const [denial] = denied;
  if (denial !== undefined) throw new NotAllowedError(denial.reason);
  return machine;
}
