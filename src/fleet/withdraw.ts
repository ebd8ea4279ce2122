import type { Cancellation, Run } from './run.ts';
import { type Settled, settle, waitingApproval } from './settle.ts';

/** Cancels a run that waits for people. undefined where it does not wait (any more): nothing changes then. */
export function cancelWaiting(run: Run, cancellation: Cancellation, now: number): Settled | undefined {
  const approval = waitingApproval(run);
  if (approval === undefined) return undefined;
  return settle(run, approval, 'cancelled', now, { cancellation: run.cancellation ?? cancellation });
}
