import { MachineError } from '../fleet/errors.ts';
import type { Drive } from './context.ts';
import { failureOf } from './failure-of.ts';
import { gatherForAction } from './gather-for-action.ts';
import { type Gathered, withoutEvidence } from './gathered.ts';
import { inStep } from './in-step.ts';
import { makeReady } from './make-ready.ts';
import { measureCheck } from './measure-check.ts';
import type { Step } from './ports.ts';

/**
 * Measures the machine, makes sure that no agent runs on it, and judges the evidence that the task needs. What the
 * machine refuses, or cannot be asked, becomes a failure without a good verdict.
 * @throws StaleFenceError @throws StoreUnavailableError @throws the reason of an interruption
 */
export async function gather(drive: Drive): Promise<Gathered> {
  const { interruption } = drive;
  try {
    return await inStep(drive, 'evidence', (step) => measure(drive, step));
  } catch (error) {
    if (interruption.signal.aborted || !(error instanceof MachineError)) throw error;
    const { code, message } = failureOf(error, drive.redact);
    return withoutEvidence(drive, { code, message: `${message}${quarantineWords(drive)}` });
  }
}

/** A machine that is still in quarantine was not measured. */
function quarantineWords({ held, machine }: Drive): string {
  const { quarantine } = held;
  if (!quarantine) return '';
  const since = new Date(quarantine.at).toISOString();
  return ` ${machine.name} has been in quarantine since ${since}, after run ${quarantine.runId}: an agent may be running on it.`;
}

async function measure(drive: Drive, step: Step): Promise<Gathered> {
  const { held, interruption } = drive;
  const { clockSkewMs, obstacle } = await makeReady(drive, interruption.signal);
  if (obstacle) {
    const { failure, ...inertness } = obstacle;
    return { ...withoutEvidence(drive, failure), ...inertness };
  }
  const { task } = held.run.request;
  switch (task.kind) {
    case 'ask':
      return { findings: [] };
    case 'act':
      return gatherForAction(drive, step, task.action, clockSkewMs);
    case 'check': {
      const { measurement, failure } = await measureCheck(
        drive,
        step,
        task.check,
        clockSkewMs,
        interruption.signal,
      );
      return { ...measurement, ...(failure && { failure }) };
    }
  }
}
