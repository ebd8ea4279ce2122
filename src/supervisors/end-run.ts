import { canMove, type Run } from '../fleet/run.ts';
import type { HeldRun } from './held-run.ts';

/** Ends a run from whatever state it is in, by moves that the state machine has. */
export async function endRun(held: HeldRun, changes: Partial<Run>): Promise<void> {
  if (!canMove(held.run.state, 'done')) await held.move('stopping');
  await held.move('done', changes);
}
