import { MachineError, type RunFailureCode, StaleFenceError } from '../fleet/errors.ts';
import type { ActionOutcome, ActionRecord } from '../fleet/run.ts';
import { endOfAction, untouched } from './action-ending.ts';
import { approvedAction } from './approved-action.ts';
import type { Drive } from './context.ts';
import { leaveOnAbort } from './leave-on-abort.ts';
import { pause } from './pause.ts';
import type { ActionReport } from './ports.ts';

/** How much longer each pause between two looks at an action is than the one before. */
const pauseGrowth = 1.5;

/** How an action ended, as the record keeps it. */
type Ending = Partial<ActionRecord> & { readonly outcome: ActionOutcome; readonly detail: string };

/**
 * Waits for the end of the run's action, and stores what became of it. Never asks for the action itself: a worker that
 * takes a run over in `acting` only looks, too.
 * @param first what the machine answered when it was asked to begin, where it did
 * @throws StaleFenceError @throws StoreUnavailableError @throws the reason why this worker must let go
 */
export async function followAction(drive: Drive, first?: ActionReport): Promise<void> {
  const { held, clock } = drive;
  const ending = { ...(await endingOf(drive, first)), endedAt: clock() };
  const { outcome, detail } = ending;
  if (outcome === 'refused' || outcome === 'not-begun') {
    const code = `action-${outcome}` satisfies RunFailureCode;
    return held.move('done', endOfAction(held.run, ending, { failure: { code, message: detail } }));
  }
  await held.move('verifying', { action: { ...untouched, ...held.run.action, ...ending } });
}

async function endingOf(drive: Drive, first: ActionReport | undefined): Promise<Ending> {
  const { held, machine, interruption, settings, clock } = drive;
  // A worker that comes late, because there was none for long, still asks for a while.
  const deadline = Math.max(held.run.action?.endsBy ?? 0, clock() + settings.resultGraceMs);
  // It may be refused because it was run before, by a worker whose record was lost: then that is what became of it.
  const refusal = first?.outcome === 'refused' ? first : undefined;
  let report = refusal ? await ask(drive) : first;
  let hasBegun = false;
  let isShutOut = false;
  let pauseMs = settings.resultPollIntervalMs;
  for (;;) {
    if (report?.outcome === 'running') {
      hasBegun = true;
    } else if (report?.outcome === 'unknown') {
      if (refusal) return endingFrom(refusal, 'refused', drive);
      if (hasBegun) return unknown(`${machine.name} said that it runs, and knows nothing of it any more.`);
      if (isShutOut) return { outcome: 'not-begun', detail: `It never reached ${machine.name}.` };
      isShutOut = await shutOut(drive);
      if (isShutOut) {
        report = await ask(drive);
        continue;
      }
    } else if (report) {
      return endingFrom(report, report.outcome === 'lost' ? 'unknown' : report.outcome, drive);
    }
    if (clock() >= deadline) return unknown(lateWords(machine.name, hasBegun));
    await pause(pauseMs, interruption.worker);
    pauseMs = Math.min(pauseMs * pauseGrowth, settings.resultPollIntervalMaxMs);
    report = await ask(drive);
  }
}

function unknown(detail: string): Ending {
  return { outcome: 'unknown', detail };
}

function lateWords(machine: string, hasBegun: boolean): string {
  return hasBegun
    ? `It began, and ${machine} did not tell in time how it ended. Look at the machine.`
    : `${machine} did not tell in time what became of it. Look at the machine.`;
}

function endingFrom(
  { detail, exitCode, stdout = '', stderr = '' }: ActionReport,
  outcome: ActionOutcome,
  { redact }: Drive,
): Ending {
  return {
    outcome,
    detail: redact(detail),
    ...(exitCode !== undefined && { exitCode }),
    stdout: redact(stdout),
    stderr: redact(stderr),
  };
}

/** What the machine knows of the action; undefined where it cannot be asked now. */
async function ask({ held, gate, interruption, log }: Drive): Promise<ActionReport | undefined> {
  const { worker } = interruption;
  try {
    return await gate.result(approvedAction(held.run).id, worker);
  } catch (error) {
    worker.throwIfAborted();
    if (!(error instanceof MachineError)) throw error;
    log.info({ err: error }, 'the machine cannot be asked now what became of the action');
    return undefined;
  }
}

/**
 * Shows the machine a higher fence, so that it refuses this run's action should that still be on its way. Returns
 * whether it has seen it.
 */
async function shutOut({ held, gate, machine, interruption, log }: Drive): Promise<boolean> {
  const { worker } = interruption;
  try {
    const { fence } = await gate.status(worker);
    await held.raiseFence(Math.max(fence, held.fence));
    await leaveOnAbort(gate.stop(held.fence), worker);
    return true;
  } catch (error) {
    worker.throwIfAborted();
    if (!(error instanceof MachineError)) throw error;
    if (error.code === 'old-fence') {
      throw new StaleFenceError(`Another worker has taken ${machine.name} over.`, { cause: error });
    }
    log.info({ err: error }, 'the machine has not seen the higher fence yet');
    return false;
  }
}
