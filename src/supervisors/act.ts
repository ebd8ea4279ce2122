import type { SignedCapsule } from '../fleet/capsule.ts';
import { type Failure, MachineError, SignerError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Withheld } from '../fleet/run.ts';
import { endOfAction, endOfCancelled, untouched } from './action-ending.ts';
import { approvedAction } from './approved-action.ts';
import type { Drive } from './context.ts';
import { failureOf } from './failure-of.ts';
import { followAction } from './follow-action.ts';
import { inStep } from './in-step.ts';
import { makeReady } from './make-ready.ts';
import { measureNeed, type Needed, type NotBegun } from './measure-need.ts';
import type { Step } from './ports.ts';
import { sendCapsule } from './send-capsule.ts';
import { tookTooLong } from './took-too-long.ts';

/** An action that can begin. */
type Begin = Needed & { readonly capsule: SignedCapsule };

/**
 * Does what people approved, once: makes sure that it is still needed, has it signed, stores that it begins, and only
 * then asks the machine for it. Until then it can be cancelled, and a silence holds it back.
 */
export async function act(drive: Drive): Promise<void> {
  const { held, machine, settings, clock, interruption } = drive;
  if (interruption.byPerson) return held.move('done', endOfCancelled(held.run));
  const next = await prepared(drive);
  if (interruption.byPerson) return held.move('done', endOfCancelled(held.run));
  if (!('capsule' in next)) {
    const { failure, inertness, ...changes } = next;
    return held.move('done', endOfAction(held.run, changes, { failure, inertness }));
  }
  const withheld = await held.obstacle(machine, 'action');
  if (withheld) {
    const ending = {
      outcome: 'not-begun',
      detail: sentence(machine, withheld),
      before: next.before,
    } as const;
    return held.move('done', { ...endOfAction(held.run, ending), withheld });
  }
  interruption.worker.throwIfAborted();
  const begunAt = clock();
  const endsBy = begunAt + next.action.timeoutSeconds * 1_000 + settings.resultGraceMs;
  await held.move('acting', { action: { ...untouched, before: next.before, begunAt, endsBy } });
  // It may have been cancelled while that was stored. Nothing was sent yet.
  if (interruption.byPerson) return held.move('done', endOfCancelled(held.run));
  await followAction(drive, await sendCapsule(drive, next.capsule));
}

/** @throws StaleFenceError @throws StoreUnavailableError @throws the reason why this worker must let go */
async function prepared(drive: Drive): Promise<Begin | NotBegun> {
  const { machine, interruption, redact } = drive;
  try {
    const need = await inStep(drive, 'evidence', (step) => measured(drive, step));
    if (!('action' in need)) return need;
    return { ...need, capsule: await inStep(drive, 'action.sign', () => signed(drive)) };
  } catch (error) {
    interruption.worker.throwIfAborted();
    if (interruption.signal.aborted) return notBegun('not-begun', tookTooLong(machine));
    if (error instanceof SignerError || error instanceof MachineError) {
      return notBegun(error.code === 'signer-refused' ? 'refused' : 'not-begun', failureOf(error, redact));
    }
    throw error;
  }
}

async function measured(drive: Drive, step: Step): Promise<Needed | NotBegun> {
  const { clockSkewMs, obstacle } = await makeReady(drive, drive.interruption.signal);
  if (obstacle) {
    return { ...notBegun(obstacle.inertness ? 'not-begun' : 'refused', obstacle.failure), ...obstacle };
  }
  return measureNeed(drive, step, approvedAction(drive.held.run).action, clockSkewMs);
}

function signed({ held, signer, tracer, interruption }: Drive): Promise<SignedCapsule> {
  const { run, fence } = held;
  return signer.capsule({ run, fence, traceparent: tracer.actionTraceparent(run) }, interruption.signal);
}

function sentence({ name }: Machine, { reason }: Withheld): string {
  return `${name} is ${reason}`;
}

function notBegun(outcome: NotBegun['outcome'], failure: Failure): NotBegun {
  return { outcome, detail: failure.message, failure };
}
