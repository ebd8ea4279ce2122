import { InputError, NotAllowedError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { suggest } from '../fleet/suggest.ts';
import { namesOf } from './names-of.ts';
import type { Asker } from './people.ts';

/**
 * The machine of this name, if the person may see it. Suggests only machines that they may see.
 *
 * @throws InputError, NotAllowedError with sentences for the person
 */
export async function findVisibleMachine(name: string, fleet: Fleet, asker: Asker): Promise<Machine> {
  const machine = fleet.machines.get(name);
  if (machine === undefined) {
    const { allowed } = await asker.permission('view', [...fleet.machines.values()]);
    const meant = suggest(name, namesOf(allowed));
    const hint = meant === undefined ? '`/fleet list` shows the machines.' : `Did you mean \`${meant}\`?`;
    throw new InputError(`There is no machine \`${name}\`. ${hint}`);
  }
  const { denied } = await asker.permission('view', [machine]);
  const [denial] = denied;
  if (denial !== undefined) throw new NotAllowedError(denial.reason);
  return machine;
}
