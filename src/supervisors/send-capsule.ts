import type { SignedCapsule } from '../fleet/capsule.ts';
import { MachineError, StaleFenceError } from '../fleet/errors.ts';
import type { Drive } from './context.ts';
import { leaveOnAbort } from './leave-on-abort.ts';
import type { ActionReport } from './ports.ts';

/**
 * Asks the machine to begin, the only time. undefined where no answer tells whether it has: that is asked later.
 * @throws StaleFenceError when another worker has taken the machine over; it has not begun then
 * @throws the reason why this worker must let go; what was sent may arrive all the same
 */
export async function sendCapsule(drive: Drive, capsule: SignedCapsule): Promise<ActionReport | undefined> {
  const { held, gate, machine, interruption, log } = drive;
  try {
    return await leaveOnAbort(gate.act(held.fence, capsule), interruption.worker);
  } catch (error) {
    interruption.worker.throwIfAborted();
    if (!(error instanceof MachineError)) throw error;
    if (error.code === 'old-fence') {
      throw new StaleFenceError(`Another worker has taken ${machine.name} over.`, { cause: error });
    }
    log.warn({ err: error }, 'whether the action has begun is not known yet');
    return undefined;
  }
}
