import { LimitError } from './errors.ts';
import type { OverLimit } from './left-out.ts';
import type { Machine } from './machine.ts';

/** Other people's requests come in between: machines may be over a limit that were not a moment ago. */
const roundsAtMost = 5;

/** What was accepted for which machines, and for which others not. */
export interface AcceptedWithinLimits<Accepted> {
  readonly accepted: Accepted;
  readonly machines: readonly Machine[];
  readonly overLimit: readonly OverLimit[];
}

/**
 * Accepts for the machines that are not over a limit.
 *
 * @param accept stores all of these or none; gets those that were left out so far, too
 * @param onLimit told of every limit that left machines out
 * @throws LimitError when no machine is left, or the limit is the person's
 */
export async function acceptWithinLimits<Accepted>(
  all: readonly Machine[],
  accept: (machines: readonly Machine[], overLimit: readonly OverLimit[]) => Promise<Accepted>,
  onLimit: (error: LimitError) => void,
): Promise<AcceptedWithinLimits<Accepted>> {
  const overLimit: OverLimit[] = [];
  let machines = all;
  for (let round = 1; ; round += 1) {
    try {
      return { accepted: await accept(machines, overLimit), machines, overLimit };
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      const over = new Set(error.machines);
      const left = machines.filter(({ name }) => !over.has(name));
      if (left.length === 0 || left.length === machines.length) throw error;
      if (round === roundsAtMost) throw ofAll(error);
      onLimit(error);
      overLimit.push({ machines: machines.filter(({ name }) => over.has(name)), why: error.message });
      machines = left;
    }
  }
}

/** Says of the machines that are not over the limit, too, that nothing was stored for them. */
function ofAll({ message, limit, machines }: LimitError): LimitError {
  return new LimitError(`${message} Nothing was stored for the other machines either.`, limit, machines);
}
