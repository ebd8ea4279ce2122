import { effectOf } from '../fleet/effect.ts';
import { MachineError } from '../fleet/errors.ts';
import type { Run } from '../fleet/run.ts';
import { endOfAction, untouched } from './action-ending.ts';
import type { Drive } from './context.ts';
import { failureOf } from './failure-of.ts';
import { inStep } from './in-step.ts';
import { makeReady } from './make-ready.ts';
import { measureCheck } from './measure-check.ts';
import { isSilence } from './measure-lock.ts';
import { pause } from './pause.ts';
import type { Step } from './ports.ts';

/** What was measured after an action; with `failure` nothing. */
type After = Pick<NonNullable<Run['action']>, 'after'> & Partial<Pick<Run, 'failure' | 'inertness'>>;

/**
 * Measures what an action has changed, by the check that was measured before it, and ends the run. Also where the
 * outcome is not known: the evidence may tell.
 * @throws StaleFenceError @throws StoreUnavailableError @throws the reason why this worker must let go
 */
export async function verifyAction(drive: Drive): Promise<void> {
  const { held } = drive;
  const { after, ...more } = await measureAfter(drive);
  const { outcome = 'unknown', before, detail } = held.run.action ?? untouched;
  const ending = { outcome, effect: effectOf(before, after), ...(after && { after }) };
  const why = more.failure && `What it changed could not be measured: ${more.failure.message}`;
  const words = [detail, why].filter((text) => text !== undefined).join(' ');
  await held.move('done', endOfAction(held.run, { ...ending, detail: words }, more));
}

/** A machine that is silent is waited for: what was done may have restarted its network, or all of it. */
async function measureAfter(drive: Drive): Promise<After> {
  const { clock, settings, interruption, log, redact } = drive;
  const { worker } = interruption;
  const deadline = clock() + settings.resultGraceMs;
  for (;;) {
    try {
      return await inStep(drive, 'action.verify', (step) => measure(drive, step));
    } catch (error) {
      worker.throwIfAborted();
      if (!(error instanceof MachineError)) throw error;
      if (!isSilence(error) || clock() >= deadline) return { failure: failureOf(error, redact) };
      log.info({ err: error }, 'the machine cannot be measured now; trying again');
    }
    await pause(settings.resultPollIntervalMs, worker);
  }
}

/** Measuring changes nothing: neither a lock nor an agent is in the way. */
async function measure(drive: Drive, step: Step): Promise<After> {
  const { held, interruption } = drive;
  const { clockSkewMs, obstacle } = await makeReady(drive, interruption.worker);
  const check = held.run.action?.before?.evidence?.check ?? '';
  const { measurement, failure } = await measureCheck(drive, step, check, clockSkewMs, interruption.worker);
  return {
    ...(failure ? { failure } : { after: measurement }),
    ...(obstacle?.inertness && { inertness: obstacle.inertness }),
  };
}
