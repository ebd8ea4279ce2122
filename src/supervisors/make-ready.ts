import type { Failure } from '../fleet/errors.ts';
import { haltIdOfLock } from '../fleet/halt.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Inertness } from '../fleet/run.ts';
import type { Drive } from './context.ts';
import { liftQuarantine } from './quarantine.ts';
import { stopAgent } from './stop-agent.ts';

/** Why nothing may begin on a machine: it is locked, or an agent could not be stopped (`inertness` is unknown). */
export interface Obstacle {
  readonly failure: Failure;
  readonly inertness?: Extract<Inertness, 'unknown'>;
}

/** What is known of a machine once it was looked at. */
export interface Readiness {
  readonly clockSkewMs: number;
  readonly obstacle?: Obstacle;
}

/**
 * Measures the machine, brings the fence above all that it has seen, and stops an agent that should not run. What is
 * in the way of anything new (a lock, an agent that cannot be stopped) is returned, not thrown.
 * @throws MachineError @throws StaleFenceError @throws StoreUnavailableError @throws the reason of `signal`
 */
export async function makeReady(drive: Drive, signal: AbortSignal): Promise<Readiness> {
  const { held, gate, machine, redact } = drive;
  const { agent, run, fence, lock, installed, clockSkewMs } = await gate.status(signal);
  await held.raiseFence(fence);
  held.noteInstalled(installed);
  if (agent !== 'inactive' && agent !== 'failed') {
    drive.log.warn({ agent, strayRun: run }, 'stopping an agent that should not run');
    if ((await stopAgent(drive)) === 'unknown') {
      const failure = {
        code: 'inertness-unknown',
        message: `An agent runs on ${machine.name} and could not be stopped. Look at the machine.`,
      };
      return { clockSkewMs, obstacle: { failure, inertness: 'unknown' } };
    }
    await held.raiseFence(held.fence);
  } else {
    await liftQuarantine(drive);
  }
  if (lock === null) return { clockSkewMs };
  const message = `${machine.name} is locked: ${redact(lock.reason)}. ${howToUnlock(machine, lock.reason)}`;
  return { clockSkewMs, obstacle: { failure: { code: 'locked', message } } };
}

function howToUnlock({ name }: Machine, reason: string): string {
  const halt = haltIdOfLock(reason);
  return halt === undefined
    ? `Whoever has the SSH key unlocks it with \`fleetbot resume --direct ${name}\`.`
    : `\`/fleet resume ${halt}\` lifts that; where that was done just now, ask again in a minute.`;
}
