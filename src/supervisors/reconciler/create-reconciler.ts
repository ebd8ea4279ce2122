import { Leader } from './leader.ts';
import type { ReconcilerParts } from './parts.ts';

/** What `createReconciler` returns. */
export interface Reconciler {
  /** Begins to try for the lead. */
  start(): void;
  /** Lets go at once: what is under way on machines is fenced, or measured again by the next leader. */
  stop(): Promise<void>;
}

/**
 * Compares what runs on the machines with what should, in one process at a time over all workers: locks what is
 * halted, unlocks what was resumed, stops agents that no run wants, and lifts quarantines once it has measured.
 */
export function createReconciler(parts: ReconcilerParts): Reconciler {
  const stopping = new AbortController();
  let leading: Promise<void> = Promise.resolve();
  return {
    start() {
      leading = parts.store.lead((signal) => new Leader(parts, signal).work(), stopping.signal);
    },
    async stop() {
      stopping.abort(new Error('the reconciler is stopped'));
      await leading;
    },
  };
}
