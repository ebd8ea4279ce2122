import type { Machine } from '../../fleet/machine.ts';
import { isSilence } from '../measure-lock.ts';
import type { MachineBrake, MachineStatus } from '../ports.ts';
import type { VisitResult } from './attention.ts';
import { enforceHalts, noteUnreached } from './enforce-halts.ts';
import { noteDrift } from './note-drift.ts';
import { settleAgent } from './settle-agent.ts';
import type { Term } from './term.ts';

/** Measures one machine, compares it with what should be, and corrects it. Of one that is unreachable nothing is assumed. */
export async function visitMachine(term: Term, machine: Machine): Promise<VisitResult> {
  const brake: MachineBrake = term.brakes.gate(machine);
  let status: MachineStatus;
  try {
    status = await brake.status(term.signal);
  } catch (error) {
    term.signal.throwIfAborted();
    noteUnreached(term, machine, error);
    term.log.debug({ err: error, machine: machine.name }, 'the machine could not be measured');
    return isSilence(error) ? 'unreachable' : 'unsettled';
  }
  const lock = await enforceHalts(term, machine, brake, status);
  if (lock?.outcome === 'unreachable') return 'unreachable';
  if (lock?.outcome === 'failed') return 'unsettled';
  const settled = await settleAgent(term, machine, brake, status);
  await noteDrift(term, machine, status);
  return settled ? 'settled' : 'unsettled';
}
