import { setTimeout as sleep } from 'node:timers/promises';
import { MachineError, type MachineErrorCode, toFailure } from '../fleet/errors.ts';
import type { HaltMember } from '../fleet/halt.ts';
import type { Machine } from '../fleet/machine.ts';
import type { LockReply, MachineBrake, MachineStatus, Redact } from './ports.ts';

/** What is known of a machine after it was told to be locked or unlocked. */
export type LockOutcome = Pick<HaltMember, 'outcome' | 'detail'>;

/** How often an agent that is still stopping is looked at. */
const agentPollMs = 250;

/** After these nothing is known of the machine. */
const silences: ReadonlySet<MachineErrorCode> = new Set<MachineErrorCode>([
  'unreachable',
  'timeout',
  'host-key-changed',
  'key-refused',
]);

/** Whether no process of the agent is left. */
export function isGone(agent: MachineStatus['agent']): boolean {
  return agent === 'inactive' || agent === 'failed';
}

/** Whether the error leaves the machine's state unknown, as opposed to a machine that answered. */
export function isSilence(error: unknown): boolean {
  return error instanceof MachineError && silences.has(error.code);
}

/** Locks a machine and measures what that did. Never throws. */
export async function lockMachine(
  machine: Machine,
  brake: MachineBrake,
  reason: string,
  redact: Redact,
): Promise<LockOutcome> {
  try {
    const reply = await brake.lock(reason);
    if (!reply.locked) return { outcome: 'failed', detail: 'It answered, but says that it is not locked.' };
    return await measured(reply, machine, brake);
  } catch (error) {
    return outcomeOf(error, redact);
  }
}

/** Lifts the lock that has this reason. One that came since stays. Never throws. */
export async function unlockMachine(
  brake: MachineBrake,
  reason: string,
  redact: Redact,
): Promise<LockOutcome> {
  try {
    const { locked } = await brake.unlock(reason);
    return locked
      ? { outcome: 'failed', detail: 'It is locked by somebody else meanwhile. Look at the machine.' }
      : { outcome: 'unlocked' };
  } catch (error) {
    return outcomeOf(error, redact);
  }
}

/** What an error of a machine's brake means for its lock. */
export function outcomeOf(error: unknown, redact: Redact): LockOutcome {
  return {
    outcome: isSilence(error) ? 'unreachable' : 'failed',
    detail: redact(toFailure(error).message),
  };
}

/** Waits for the agent of a locked machine to be gone, no longer than a stop of it may take. */
async function measured(
  reply: Pick<LockReply, 'agent' | 'action'>,
  machine: Machine,
  brake: MachineBrake,
): Promise<LockOutcome> {
  const { stopTimeoutMs } = machine.limits;
  const tooLate = AbortSignal.timeout(stopTimeoutMs);
  let { agent, action } = reply;
  while (!isGone(agent) && !tooLate.aborted) {
    await sleep(agentPollMs);
    ({ agent, action } = await brake.status());
  }
  if (!isGone(agent)) {
    return {
      outcome: 'failed',
      detail: `It is locked, but its agent is still ${agent} after ${stopTimeoutMs} ms. Look at the agent's unit on the machine.`,
    };
  }
  return action === undefined ? { outcome: 'inactive' } : stillEnding(action.name);
}

/** An action is under way that must not be interrupted. */
export function stillEnding(action: string): LockOutcome {
  return { outcome: 'ending', detail: `The action ${action} must not be interrupted: it is left to end.` };
}
