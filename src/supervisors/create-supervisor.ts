import { MachineError, StaleFenceError, StoreUnavailableError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { agentMayBeAlive, type Run } from '../fleet/run.ts';
import { endOfAbandoned } from './action-ending.ts';
import type { Drive, SupervisorParts } from './context.ts';
import { endRun } from './end-run.ts';
import { failureOf } from './failure-of.ts';
import { HeldRun } from './held-run.ts';
import { Interruption } from './interruption.ts';
import { nextState } from './next-state.ts';
import type { Claim } from './ports.ts';
import { stopAgent } from './stop-agent.ts';

/** Drives a claimed run until it is done; see `createSupervisor`. */
export type DriveRun = (claim: Claim, signal: AbortSignal) => Promise<void>;

/**
 * The supervision loop of `design.md`: evidence, verdict, agent, stop, done, and what people approved: act, verify;
 * with every state stored before its effect. Resolves when the run is done, waits for people, or belongs to another
 * worker. Rejects when this worker must let go (`signal`) or the store is away: the record is then as stored, the agent
 * stopped as far as this worker can, an action left to its machine, and the next claim goes on from there.
 */
export function createSupervisor(parts: SupervisorParts): DriveRun {
  return async (claim, signal) => {
    const { request, id, trace } = claim.run;
    const log = parts.log.child({ run: id, machine: request.machine, trace: trace.traceId });
    const held = new HeldRun(claim, {
      ...parts.settings,
      store: parts.runs,
      restraints: parts.restraints,
      clock: parts.clock,
      worker: signal,
    });
    const machine = parts.fleet().machines.get(request.machine);
    try {
      if (!machine) {
        await leaveUnknownMachine(held, parts.clock());
      } else {
        using interruption = new Interruption(
          parts.runs,
          held,
          signal,
          timeLeftMs(claim.run, machine, parts.clock()),
        );
        const gate = parts.machines.gate(machine);
        await driveToEnd({ ...parts, log, machine, gate, held, interruption });
      }
    } catch (error) {
      if (!(error instanceof StaleFenceError)) throw error;
      log.info({ err: error }, 'another worker holds this machine now');
      return;
    }
    const { state, verdict, inertness, action } = held.run;
    if (state === 'awaiting') return log.info('people are asked');
    parts.tracer.finish(held.run);
    parts.runs.traced(id);
    log.info({ verdict, inertness, action: action?.outcome }, 'run done');
  };
}

/**
 * A run's time begins when a worker takes it up. What people took to decide does not count: what they approved has
 * as much until it begins; from then on it has its own.
 */
function timeLeftMs({ approval, timeline }: Run, { limits }: Machine, now: number): number {
  if (approval) return limits.runTimeoutMs;
  const takenUpAt = timeline.find(({ state }) => state !== 'queued')?.at ?? now;
  return takenUpAt + limits.runTimeoutMs - now;
}

async function driveToEnd(drive: Drive): Promise<void> {
  const { held, interruption } = drive;
  try {
    if (agentMayBeAlive(held.run.state)) await takeOver(drive);
    while (held.run.state !== 'done' && held.run.state !== 'awaiting') await nextState(drive);
  } catch (error) {
    if (error instanceof StaleFenceError) throw error;
    // Only thrown where no agent runs: before the start, or after the stop.
    if (interruption.byWorker && error === interruption.signal.reason) throw error;
    const alive = agentMayBeAlive(held.run.state);
    const inertness = alive ? await stopAgent(drive) : held.run.inertness;
    if (interruption.byWorker || error instanceof StoreUnavailableError) throw error;
    drive.log.error({ err: error }, 'the run failed inside');
    const failure = failureOf(error, drive.redact);
    await endRun(held, {
      inertness,
      failure,
      verdict: held.run.verdict ?? 'failed',
      ...endOfAbandoned(held.run, failure.message),
    });
  }
}

/** A run that a killed worker left with its agent possibly alive: whatever it was doing, stop first. */
async function takeOver(drive: Drive): Promise<void> {
  const { held, gate, log } = drive;
  log.warn({ state: held.run.state }, 'taking over a run that was left with its agent possibly alive');
  try {
    const status = await gate.status();
    await held.raiseFence(status.fence);
    held.noteInstalled(status.installed);
  } catch (error) {
    // Stopping tries again, with its own patience, and quarantines the machine when that fails too.
    if (!(error instanceof MachineError)) throw error;
  }
  if (held.run.state !== 'stopping') await held.move('stopping');
}

/** The machine was taken out of the fleet file after the request was accepted. */
async function leaveUnknownMachine(held: HeldRun, at: number): Promise<void> {
  const name = held.run.request.machine;
  const alive = agentMayBeAlive(held.run.state);
  if (alive) {
    const reason = `${name} was taken out of the fleet file while its agent may have run.`;
    await held.setQuarantine({ runId: held.run.id, reason, at });
  }
  const message = `${name} is no longer in the fleet file. Put it back, or ask for another machine.`;
  await endRun(held, {
    inertness: alive ? 'unknown' : held.run.inertness,
    verdict: held.run.verdict ?? 'failed',
    failure: { code: 'machine-unknown', message },
    ...endOfAbandoned(held.run, message),
  });
}
