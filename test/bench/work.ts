import type { Ended } from './messages.ts';

/** Work under way in a worker process. */
export interface Work {
  /** Closes and exports everything. */
  end(): Promise<Pick<Ended, 'exportedSpans' | 'lostSpans' | 'waitsMs'>>;
}
