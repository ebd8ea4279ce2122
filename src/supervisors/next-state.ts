import type { Diagnosis, Run, Withheld } from '../fleet/run.ts';
import { act } from './act.ts';
import { activate, nextActivation } from './activate.ts';
import { askOrEnd } from './ask-or-end.ts';
import type { Drive } from './context.ts';
import { followAction } from './follow-action.ts';
import { gather } from './gather.ts';
import { type Gathered, withoutEvidence } from './gathered.ts';
import { stopAgent } from './stop-agent.ts';
import { tookTooLong } from './took-too-long.ts';
import { verifyAction } from './verify-action.ts';
import { wantsAgent } from './wants-agent.ts';

/**
 * Does what the run's state asks for and stores the state that follows. The state is the only memory: a run
 * can be left after any step and gone on with by another worker.
 */
export async function nextState(drive: Drive): Promise<void> {
  switch (drive.held.run.state) {
    case 'queued':
      return leaveQueued(drive);
    case 'gathering':
      return leaveGathering(drive);
    case 'starting':
      return leaveStarting(drive);
    case 'tasking':
      return drive.held.move('stopping');
    case 'stopping':
      return leaveStopping(drive);
    case 'approved':
      return act(drive);
    case 'acting':
      return followAction(drive);
    case 'verifying':
      return verifyAction(drive);
    case 'awaiting':
    case 'done':
      return;
  }
}

/** A run that must not begin ends without its machine being touched. */
async function leaveQueued({ held, machine }: Drive): Promise<void> {
  const withheld = await held.obstacle(machine, 'run');
  if (withheld) return held.move('done', { verdict: 'cancelled', withheld });
  return held.move('gathering');
}

async function leaveGathering(drive: Drive): Promise<void> {
  const { held, machine, interruption } = drive;
  let gathered: Gathered;
  try {
    gathered = await gather(drive);
  } catch (error) {
    if (interruption.byPerson) return held.move('done', { verdict: 'cancelled' });
    if (interruption.byTime) return held.move('done', withoutEvidence(drive, tookTooLong(machine)));
    throw error;
  }
  if (!wantsAgent(machine, held.run.request, gathered)) return askOrEnd(drive, gathered);
  const withheld = await held.obstacle(machine, 'agent');
  if (withheld) return withoutAgent(drive, { ...gathered, withheld });
  return held.move('starting', { ...gathered, diagnosis: nextActivation(held.run), inertness: 'unknown' });
}

/** A check has its verdict without the agent; a question comes to nothing. */
async function withoutAgent(drive: Drive, gathered: Partial<Run>): Promise<void> {
  const { held } = drive;
  if (held.run.request.task.kind === 'check') return askOrEnd(drive, gathered);
  return held.move('done', { ...gathered, verdict: 'cancelled' });
}

async function leaveStarting(drive: Drive): Promise<void> {
  const diagnosis = await activate(drive);
  // Stopping is always safe, and storing waits for a store that may be away.
  if (drive.interruption.byWorker) await stopAgent(drive);
  return drive.held.move('stopping', { diagnosis });
}

async function leaveStopping(drive: Drive): Promise<void> {
  const { held, machine, interruption, settings } = drive;
  const inertness = await stopAgent(drive);
  const diagnosis = held.run.diagnosis ?? nextActivation(held.run);
  const finished = diagnosis.comment !== undefined || diagnosis.failure !== undefined;

  if (finished || interruption.byPerson) {
    return askOrEnd(drive, ending(held.run, inertness, diagnosis, interruption.byPerson));
  }
  if (interruption.byTime) {
    const late = { ...diagnosis, failure: tookTooLong(machine) };
    return askOrEnd(drive, ending(held.run, inertness, late, false));
  }
  let withheld: Withheld | undefined;
  if (inertness === 'inactive') {
    interruption.signal.throwIfAborted();
    if (diagnosis.activations < settings.maxActivations) {
      withheld = await held.obstacle(machine, 'agent');
      if (!withheld) {
        await held.raiseFence(held.fence);
        return held.move('starting', { diagnosis: nextActivation(held.run) });
      }
    }
  }
  const ended = ending(held.run, inertness, interrupted(diagnosis), false);
  return askOrEnd(drive, { ...ended, ...(withheld && { withheld }) });
}

function interrupted(diagnosis: Diagnosis): Diagnosis {
  return {
    ...diagnosis,
    failure: {
      code: 'agent-interrupted',
      message: `The agent was interrupted because its supervisor ended (activation ${diagnosis.activations}). Run it again.`,
    },
  };
}

/** Verdicts rest on evidence alone; only a question's end depends on whether the agent answered. */
function ending(
  run: Run,
  inertness: Run['inertness'],
  diagnosis: Diagnosis,
  cancelled: boolean,
): Partial<Run> {
  const common = { inertness, diagnosis };
  if (run.request.task.kind === 'check') return common;
  if (diagnosis.comment !== undefined) return { ...common, verdict: 'answered' };
  if (cancelled) return { ...common, verdict: 'cancelled' };
  return { ...common, verdict: 'failed', failure: diagnosis.failure };
}
