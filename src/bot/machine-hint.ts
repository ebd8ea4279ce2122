import type { Fleet, Verb } from '../fleet/fleet.ts';
import { suggest } from '../fleet/suggest.ts';
import { namesOf } from './names-of.ts';
import type { Asker } from './people.ts';

/**
 * What to add to "there is no such machine": a name that was probably meant, of a machine that the person may
 * do this with; or where to look, where there is something to see; or nothing.
 */
export async function machineHint(typed: string, verb: Verb, fleet: Fleet, asker: Asker): Promise<string> {
  const { allowed } = await asker.permission(verb, [...fleet.machines.values()]);
  // A selector is no misspelt name, and what stands behind its "!" is the last thing to propose.
  const meant = /[!&,=]/.test(typed) ? undefined : suggest(typed, namesOf(allowed));
  if (meant !== undefined) return ` Did you mean \`${meant}\`?`;
  return (await asker.mayAnywhere('view')) ? ' `/fleet list` shows the machines that you may view.' : '';
}
