import { InputError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { selectMachines } from '../fleet/selector.ts';
import { deniedAll, deniedEverywhere } from './denied.ts';
import { machineHint } from './machine-hint.ts';
import type { Asker, Permission } from './people.ts';

/**
 * The machines that the selector matches, or all, parted by whether the person may view them.
 * @param hint what to add where no machine matches
 * @throws InputError, NotAllowedError with sentences for the person, where there is none that they may view
 */
export async function visibleMachines(
  selector: string | undefined,
  fleet: Fleet,
  asker: Asker,
  hint = (typed: string) => machineHint(typed, 'view', fleet, asker),
): Promise<Permission> {
  const machines = selector === undefined ? [...fleet.machines.values()] : selectMachines(fleet, selector);
  const permission = await asker.permission('view', machines);
  const { allowed, denied } = permission;
  if (allowed.length > 0) return permission;
  if (denied.length > 0) {
    throw selector === undefined
      ? await deniedEverywhere('There is no machine that you may `view`.', asker)
      : await deniedAll({ verb: 'view', selector, denied }, fleet, asker);
  }
  throw new InputError(
    selector === undefined
      ? 'The fleet file has no machines yet.'
      : `No machine matches \`${selector}\`.${await hint(selector)}`,
  );
}
