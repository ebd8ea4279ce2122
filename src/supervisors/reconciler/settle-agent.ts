import { MachineError, StaleFenceError, toFailure } from '../../fleet/errors.ts';
import type { Machine } from '../../fleet/machine.ts';
import { isGone } from '../measure-lock.ts';
import type { MachineBrake, MachineRecord, MachineStatus } from '../ports.ts';
import type { Term } from './term.ts';

/** Stands for the run in a quarantine where the agent named none. */
const unnamedRun = 'unknown';

/**
 * Compares the machine's agent with its record: stops one that no run wants, and lifts a quarantine once the machine
 * is measured inactive. A machine with a current run is left to its worker. Returns whether nothing is left to do.
 */
export async function settleAgent(
  term: Term,
  machine: Machine,
  brake: MachineBrake,
  status: MachineStatus,
): Promise<boolean> {
  const { store, quarantined, signal } = term;
  const { name } = machine;
  if (isGone(status.agent) && !quarantined.has(name)) return true;
  // Read after the status: a run that began in between is seen here, one that ended has had its agent stopped.
  const record = (await store.machines([name])).get(name) ?? { fence: 0 };
  if (record.currentRunId !== undefined) {
    noteMisplaced(term, machine, status, record.currentRunId);
    return true;
  }
  if (isGone(status.agent) && !record.quarantine) return true;
  signal.throwIfAborted();
  const fence = await store.takeFence(name, status.fence);
  if (fence === undefined) return true;
  try {
    return await stop(term, machine, brake, record, fence);
  } catch (error) {
    // A worker has begun a run meanwhile; the agent is its concern.
    const taken =
      error instanceof StaleFenceError || (error instanceof MachineError && error.code === 'old-fence');
    if (!taken) throw error;
    term.log.info({ err: error, machine: name }, 'a worker holds this machine now');
    return true;
  }
}

/** Stops and measures under a fence that shuts out whoever had the machine before. */
async function stop(
  term: Term,
  machine: Machine,
  brake: MachineBrake,
  { quarantine }: MachineRecord,
  fence: number,
): Promise<boolean> {
  const { store, findings, quarantined, log, redact, clock } = term;
  const { name } = machine;
  const { agent, run } = await brake.status(term.signal);
  if (!quarantine) {
    if (isGone(agent)) return true;
    await findings.strayFound(machine, `${whatRuns(name, run)} It is ${agent} and is stopped now.`, run);
  }
  try {
    await brake.stop(fence);
  } catch (error) {
    if (error instanceof MachineError && error.code === 'old-fence') throw error;
    if (quarantine) {
      log.warn({ err: error, machine: name, run }, 'a machine in quarantine could not be measured inactive');
      return false;
    }
    const reason = redact(toFailure(error).message);
    await store.setQuarantine(name, fence, { runId: run ?? unnamedRun, reason, at: clock() });
    quarantined.add(name);
    const text = `${whatRuns(name, run)} It could not be stopped, so the machine is quarantined until it is measured inactive: ${reason}`;
    await findings.tell('stray-unstoppable', machine, text, run);
    return false;
  }
  if (!quarantine) {
    await findings.tell(
      'stray-stopped',
      machine,
      `${whatRuns(name, run)} It was stopped and measured inactive.`,
      run,
    );
    return true;
  }
  await store.setQuarantine(name, fence, undefined);
  quarantined.delete(name);
  const text = `${name} was measured inactive: the quarantine after run ${quarantine.runId} is lifted.`;
  await findings.tell('quarantine-lifted', machine, text, quarantine.runId);
  return true;
}

function whatRuns(machine: string, run: string | null): string {
  return run === null
    ? `An agent ran on ${machine} that no run had started.`
    : `An agent ran on ${machine} for run ${run}, which is not under way.`;
}

/** A worker corrects it when it goes on; one that does not is worth a line in the log. */
function noteMisplaced(
  { misplaced, log }: Term,
  { name }: Machine,
  { run, agent }: MachineStatus,
  currentRunId: string,
): void {
  if (isGone(agent) || run === currentRunId) {
    misplaced.delete(name);
    return;
  }
  const seen = `${run} ${currentRunId}`;
  if (misplaced.get(name) === seen) {
    log.warn({ machine: name, run: currentRunId, agentsRun: run }, 'an agent still runs for another run');
  }
  misplaced.set(name, seen);
}
