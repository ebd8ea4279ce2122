import { NotAllowedError } from '../fleet/errors.ts';
import type { Fleet, Verb } from '../fleet/fleet.ts';
import { listed } from './names-of.ts';
import type { Asker, Denial } from './people.ts';

/**
 * The error for a person who may do this with none of the machines of `selector`. It explains a machine that
 * was named exactly, and tells no name of one that was not.
 */
export async function deniedAll(
  { verb, selector, denied }: { verb: Verb; selector: string; denied: readonly Denial[] },
  fleet: Fleet,
  asker: Asker,
): Promise<NotAllowedError> {
  const [only] = denied;
  if (only !== undefined && fleet.machines.has(selector)) return new NotAllowedError(only.reason);
  return deniedEverywhere(`You may not \`${verb}\` any machine that \`${selector}\` matches.`, asker);
}

/** The same, in a sentence that holds no machine's name. */
export async function deniedEverywhere(sentence: string, asker: Asker): Promise<NotAllowedError> {
  const excluded = await asker.exclusion();
  if (excluded !== undefined) return new NotAllowedError(excluded);
  const doubt = await asker.doubt();
  return new NotAllowedError(doubt === undefined ? `${sentence} ${cure}` : `${sentence} ${doubt}`);
}

const cure = 'Ask whoever maintains the fleet file.';

/**
 * The machines for a sentence, by name as far as the person may view them, and why that may not be certain;
 * undefined where there are none.
 */
export async function deniedMachines(denied: readonly Denial[], asker: Asker): Promise<string | undefined> {
  if (denied.length === 0) return undefined;
  const machines = denied.map(({ machine }) => machine);
  const { allowed: named } = await asker.permission('view', machines);
  const words = [
    ...(named.length > 0 ? [listed(named)] : []),
    ...(named.length < machines.length ? ['machines that you may not view'] : []),
  ];
  return `${words.join(', and ')}. ${(await asker.doubt()) ?? ''}`.trim();
}
