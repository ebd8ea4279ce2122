import { setTimeout as sleep } from 'node:timers/promises';
import { MachineError, StaleFenceError } from '../fleet/errors.ts';
import type { Inertness } from '../fleet/run.ts';
import type { Drive } from './context.ts';
import { liftQuarantine, quarantine } from './quarantine.ts';

/**
 * Stops the machine's agent and measures that it is gone. Cannot be interrupted: it is what an interruption
 * leads to. A machine that cannot be measured is quarantined and `unknown` is returned; one that is measured
 * leaves the quarantine of an earlier run.
 * @throws StaleFenceError when another worker has taken the machine over; the agent is its concern then
 * @throws StoreUnavailableError
 */
export async function stopAgent(drive: Drive): Promise<Exclude<Inertness, 'never-started'>> {
  if (drive.held.retired) return 'inactive';
  const step = drive.tracer.step(drive.held.run, 'agent.stop');
  try {
    step.set({ attempts: await stopPatiently(drive) });
    step.end();
  } catch (error) {
    step.end(error);
    if (error instanceof StaleFenceError) throw error;
    await quarantine(drive, error);
    return 'unknown';
  }
  await liftQuarantine(drive);
  return 'inactive';
}

/** Returns how many attempts it took. */
async function stopPatiently({ gate, held, machine, settings, log }: Drive): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await gate.stop(held.fence);
      held.retire();
      return attempt;
    } catch (error) {
      if (error instanceof MachineError && error.code === 'old-fence') {
        throw new StaleFenceError(`Another worker has taken ${machine.name} over.`, { cause: error });
      }
      log.warn({ err: error, attempt }, 'the agent could not be stopped');
      if (attempt >= settings.stopAttempts) throw error;
      await sleep(settings.stopRetryDelayMs);
    }
  }
}
