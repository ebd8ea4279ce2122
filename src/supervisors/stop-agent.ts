import { setTimeout as sleep } from 'node:timers/promises';
import { MachineError, StaleFenceError } from '../fleet/errors.ts';
import type { Inertness } from '../fleet/run.ts';
import type { Drive } from './context.ts';

/**
 * Stops the machine's agent and measures that it is gone. Cannot be interrupted: it is what an interruption
 * leads to. A machine that cannot be measured is quarantined and `unknown` is returned.
 * @throws StaleFenceError when another worker has taken the machine over; the agent is its concern then
 */
export async function stopAgent(drive: Drive): Promise<Exclude<Inertness, 'never-started'>> {
  const { gate, held, machine, settings, tracer, clock, log } = drive;
  const step = tracer.step(held.run, 'agent.stop');
  let cause: unknown;
  for (let attempt = 1; attempt <= settings.stopAttempts; attempt += 1) {
    try {
      await gate.stop(held.fence);
      step.set({ attempts: attempt });
      step.end();
      return 'inactive';
    } catch (error) {
      cause = error;
      if (error instanceof MachineError && error.code === 'old-fence') {
        step.end(error);
        throw new StaleFenceError(`Another worker has taken ${machine.name} over.`, { cause: error });
      }
      log.warn({ err: error, attempt }, 'the agent could not be stopped');
      if (attempt < settings.stopAttempts) await sleep(settings.stopRetryDelayMs);
    }
  }
  step.end(cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  await drive.runs.setQuarantine(machine.name, held.fence, { runId: held.run.id, reason, at: clock() });
  return 'unknown';
}
