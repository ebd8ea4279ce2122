import { formatMoment } from '../fleet/format.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Services } from './services.ts';

/** Of a campaign to more machines nobody is told beforehand: each costs a call of Redis. */
const machinesLookedUp = 50;

/**
 * A sentence for each of the machines that is quarantined. Empty for more machines than are looked up, and
 * where the store does not answer: the request does not depend on it.
 */
export async function quarantineSentences(
  machines: readonly Machine[],
  { requests, log }: Services,
): Promise<readonly string[]> {
  if (machines.length > machinesLookedUp) return [];
  try {
    const records = await Promise.all(machines.map(({ name }) => requests.machine(name)));
    return records.flatMap(({ name, quarantine }) => {
      if (quarantine === undefined) return [];
      const { at, runId, reason } = quarantine;
      const since = `\`${name}\` is quarantined since ${formatMoment(at)}, after run \`${runId}\``;
      return [
        `${since}: ${reason.replace(/\.$/, '')}. The run first measures whether its agent is inactive.`,
      ];
    });
  } catch (error) {
    log.warn({ err: error }, 'whether machines are quarantined could not be looked up');
    return [];
  }
}
