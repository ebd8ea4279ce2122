import { type Halt, haltIdOfLock, lockReasonOf } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import {
  isGone,
  type LockOutcome,
  lockMachine,
  outcomeOf,
  stillEnding,
  unlockMachine,
} from '../measure-lock.ts';
import type { MachineBrake, MachineStatus, Redact } from '../ports.ts';
import type { Order } from './halt-book.ts';
import type { Term } from './term.ts';

interface Visit {
  readonly term: Term;
  readonly machine: Machine;
  readonly brake: MachineBrake;
  readonly status: MachineStatus;
}

/**
 * Sees to it that a machine is locked where a halt holds for it, and that no halt that was lifted leaves its lock.
 * A lock by other means is left as it is. Returns what became of it; undefined where no halt wants anything.
 */
export async function enforceHalts(
  term: Term,
  machine: Machine,
  brake: MachineBrake,
  status: MachineStatus,
): Promise<LockOutcome | undefined> {
  const visit: Visit = { term, machine, brake, status };
  const locker = await lockerOf(term, machine, status);
  const order = term.book.orderOf(machine);
  const [oldest] = order.holding;
  const outcome = oldest ? await hold(visit, order, oldest, locker) : await letGo(visit, order, locker);
  if (status.lock && !locker) await term.findings.tellForeignLock(machine, status.lock);
  return outcome;
}

/** Notes of a machine that could not be reached, for the halts that do not know it locked. */
export function noteUnreached(term: Term, machine: Machine, error: unknown): void {
  const { book, recorder, redact } = term;
  const { holding, lifted } = book.orderOf(machine);
  const unconfirmed = holding.filter((halt) => book.member(halt, machine)?.outcome !== 'inactive');
  for (const halt of [...unconfirmed, ...lifted]) recorder.record(halt, machine, outcomeOf(error, redact));
}

/** Whether the lock is on the machine. */
function isLocked({ outcome }: LockOutcome): boolean {
  return outcome === 'inactive' || outcome === 'ending';
}

/**
 * The halt that locked the machine; undefined for a lock by other means, and where there is none. One that is over,
 * or whose selector the machine matches no longer although nobody lifted it, counts as other means.
 */
async function lockerOf(
  { book, store }: Term,
  machine: Machine,
  { lock }: MachineStatus,
): Promise<Halt | undefined> {
  const id = lock === null ? undefined : haltIdOfLock(lock.reason);
  if (id === undefined) return undefined;
  // It may have begun after they were read.
  if (!book.has(id)) await book.refresh(store);
  return book.haltFor(id, machine);
}

async function hold(
  { term, machine, brake, status }: Visit,
  { holding, lifted }: Order,
  oldest: Halt,
  locker: Halt | undefined,
): Promise<LockOutcome> {
  const { book, recorder, findings, redact } = term;
  const before = new Set(holding.map((halt) => book.member(halt, machine)?.outcome ?? 'pending'));
  // A lock by other means is worth as much; replaced, it would be lost with the end of the halt.
  const kept = !locker || holding.includes(locker) ? status.lock : null;
  const outcome =
    kept && isGone(status.agent)
      ? lockedAlready(status, kept.reason, locker, redact)
      : await lockMachine(machine, brake, kept?.reason ?? lockReasonOf(oldest), redact);
  for (const halt of holding) recorder.record(halt, machine, outcome);
  if (!isLocked(outcome)) return outcome;
  const superseded = { outcome: 'unlocked', detail: `Halt ${oldest.id} holds for it.` } as const;
  for (const halt of lifted) recorder.record(halt, machine, superseded);
  before.delete('pending');
  if (before.size > 0 && status.lock === null) {
    const wasLocked = before.has('inactive') || before.has('ending');
    await findings.tell('locked-late', machine, lateText(machine, oldest, wasLocked));
  }
  return outcome;
}

function lateText({ name }: Machine, { id, reason }: Halt, wasLocked: boolean): string {
  return wasLocked
    ? `${name} had lost the lock of halt ${id} and is locked again: ${reason}. Find out what unlocked it.`
    : `${name} could not be locked until now. It is locked, because halt ${id} holds for it: ${reason}`;
}

function lockedAlready(
  { action }: MachineStatus,
  reason: string,
  locker: Halt | undefined,
  redact: Redact,
): LockOutcome {
  if (action) return stillEnding(action.name);
  if (locker) return { outcome: 'inactive' };
  return { outcome: 'inactive', detail: redact(`It is locked by other means: ${reason}`) };
}

async function letGo(visit: Visit, order: Order, locker: Halt | undefined): Promise<LockOutcome | undefined> {
  const { term, machine } = visit;
  const lifted = new Set(locker ? [...order.lifted, locker] : order.lifted);
  if (lifted.size === 0) return undefined;
  const outcome = await liftLock(visit, locker);
  for (const halt of lifted) term.recorder.record(halt, machine, outcome);
  return outcome;
}

async function liftLock({ term, brake, status }: Visit, locker: Halt | undefined): Promise<LockOutcome> {
  const { redact, signal } = term;
  const { lock } = status;
  if (lock === null) return { outcome: 'unlocked' };
  if (!locker) {
    return { outcome: 'unlocked', detail: redact(`It stays locked by other means: ${lock.reason}`) };
  }
  signal.throwIfAborted();
  return unlockMachine(brake, lock.reason, redact);
}
